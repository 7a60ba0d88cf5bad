"""Sentences for refused values: each names its parameter, what it must be and, unless it is secret, what it was."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from p2p.errors import nearest
from p2p.params.annotation import members
from p2p.params.parameter import Parameter
from p2p.params.plain import SCALARS

SHOWN: Final = 80
# Their messages hold only what the type demands; others may repeat the value.
_SAFE_FOR_SECRETS = {"missing", "string_type", "string_too_short", "string_too_long", "string_pattern_mismatch"}
_NUMBERS: Final = {int, float, Decimal}
_MOMENTS: Final = {
    datetime.date: "2024-01-31",
    datetime.datetime: "2024-01-31T12:30",
    datetime.time: "12:30",
}


def unknown_problem(name: object, known: Sequence[str]) -> str:
    """That no parameter has this name; a name that could be code is never repeated."""
    if type(name) is not str or not name.isidentifier() or len(name) > SHOWN:
        close = nearest(name.replace("-", "_"), known) if type(name) is str and len(name) <= SHOWN else None
        what = "Unknown parameter: a name that was given is not a Python name."
    else:
        close = nearest(name, known)
        what = f"Unknown parameter '{name}'."
    if close:
        return f"{what} Did you mean '{close}'?"
    return f"{what} Known parameters: {', '.join(known)}." if known else f"{what} The notebook declares none."


def surprise(value: Any, annotation: Any) -> str:
    """Why a value is refused that pydantic would convert to something nobody meant; empty when it is none.

    True is no number here, and a bare number is no date: it would count seconds from 1970.
    """
    allowed = set(members(annotation))
    if type(value) is bool and allowed & _NUMBERS and not allowed & {bool, Any, object}:
        return f"must be a number, got {value}"
    samples = [sample for kind, sample in _MOMENTS.items() if kind in allowed]
    if samples and allowed <= {*_MOMENTS, type(None)} and _is_number(value):
        return f"must be written like {' or '.join(samples)}, got {shown(value)}"
    return ""


def _is_number(value: Any) -> bool:
    if type(value) is str:
        try:
            float(value)
        except ValueError:
            return False
        return True
    return type(value) in (int, float)


def shown(value: Any) -> str:
    """A value as messages show it: plain scalars and short plain data, cut at 80 characters; otherwise its type."""
    if type(value) not in (*SCALARS, list, dict):
        return f"a value of type {type(value).__name__}"
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        return f"a very large {type(value).__name__}"
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def validation_problems(
    error: ValidationError, parameters: Mapping[str, Parameter], given: Iterable[str], skip: Iterable[str]
) -> list[str]:
    """One sentence for each thing that pydantic refused, parameters in `skip` left out."""
    found: list[str] = []
    details = [d for d in error.errors(include_url=False) if d["loc"] and d["loc"][0] not in set(skip)]
    for name, group in groupby(details, key=lambda detail: str(detail["loc"][0])):
        found.extend(_sentences(parameters[name], list(group), is_default=name not in set(given)))
    return found


def _sentences(parameter: Parameter, details: list[ErrorDetails], *, is_default: bool) -> list[str]:
    if details[0]["type"] == "missing" and len(details[0]["loc"]) == 1:
        return [f"Parameter '{parameter.name}' is required: it has no default."]
    lead = "The default of " if is_default else ""
    if len(details) > 1 and len(members(parameter.annotation)) > 1:
        # Each member of a union refused the value for a reason of its own: one problem, not several.
        reasons = " or ".join(dict.fromkeys(_reason(detail, parameter) for detail in details))
        return [f"{lead}{parameter.name} {reasons}{_got(details[0], reasons, parameter)}."]
    found = []
    for detail in details:
        reason = _reason(detail, parameter)
        found.append(f"{lead}{_path(detail, parameter)} {reason}{_got(detail, reason, parameter)}.")
    return found


def _reason(detail: ErrorDetails, parameter: Parameter) -> str:
    if parameter.secret and detail["type"] not in _SAFE_FOR_SECRETS:
        return "is not valid"
    message = detail["msg"].rstrip(".")
    if message.startswith("Input should "):
        return "must " + message.removeprefix("Input should ")
    return "is refused: " + message[:1].lower() + message[1:]


def _got(detail: ErrorDetails, reason: str, parameter: Parameter) -> str:
    if parameter.secret:
        return ""
    return f"{': ' if ', got ' in reason else ', got '}{shown(detail['input'])}"


def _path(detail: ErrorDetails, parameter: Parameter) -> str:
    """Where in the value: `rates[0].low`; only the parameter's name where keys could be secret."""
    if parameter.secret:
        return parameter.name
    inside = (f".{part}" if str(part).isidentifier() else f"[{shown(part)}]" for part in detail["loc"][1:])
    return parameter.name + "".join(inside)
