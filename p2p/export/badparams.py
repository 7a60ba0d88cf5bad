"""Parameters that a version must refuse, found by trying its own model."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from p2p.params import ParameterSet

_CANDIDATES: tuple[Any, ...] = ({"an": "object"}, "not a value", [None], -1e9, 1e9, -1, 0, 13, 2.5, "", None)


def bad_parameters(parameters: ParameterSet) -> list[tuple[str, str]]:
    """(what, source of a dict) of parameters that are refused: a misspelt name, then a value or two for each name."""
    bad = [("unknown name", repr({"no_such_parameter": 1}))]
    for facts in parameters.describe():
        name = facts["name"]
        refused = [value for value in _CANDIDATES if _refused_for(parameters, name, value)]
        numbers = [value for value in refused if isinstance(value, int | float)]
        for text in dict.fromkeys(repr(value) for value in [*refused[:1], *numbers[:1]]):
            bad.append((f"{name}: {text}", f"{{{name!r}: {text}}}"))
    return bad


def _refused_for(parameters: ParameterSet, name: str, value: Any) -> bool:
    """Whether the model refuses the value, and because of this parameter."""
    try:
        parameters.model(**{name: value})
    except ValidationError as error:
        return any(problem["loc"][:1] == (name,) for problem in error.errors())
    return False
