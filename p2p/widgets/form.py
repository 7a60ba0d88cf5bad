"""A form for the parameters of a notebook: which control each one has, what it holds, and what is wrong with it."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import Any

from p2p.params import ParameterSet
from p2p.params.parameter import Parameter

_MOMENTS = {"date": "date", "date-time": "datetime-local", "time": "time"}
_WORDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than", "multiple_of": "a multiple of",
          "min_length": "at least this long:", "max_length": "at most this long:"}  # fmt: skip
_BOUNDS = {"minimum": "min", "maximum": "max", "exclusiveMinimum": "above", "exclusiveMaximum": "below",
           "multipleOf": "step", "minLength": "shortest", "maxLength": "longest"}  # fmt: skip


def fields(parameters: ParameterSet) -> list[dict[str, Any]]:
    """The fields of the form, in order.

    Each has `name`, `type`, `bounds` (in words), `help`, `required`, `optional` (it may be None), `control`
    (`checkbox`, `number`, `choice`, `date`, `datetime-local`, `time`, `password`, `text` or `json`), `text` (what it
    holds at first, as it would be written on the command line; never a secret), `choices`, and a control's bounds.
    """
    return [
        _field(parameter, told) for parameter, told in zip(parameters.parameters, parameters.describe(), strict=True)
    ]


def _field(parameter: Parameter, told: Mapping[str, Any]) -> dict[str, Any]:
    schema, optional = _schema(parameter)
    control = "password" if parameter.secret else _control(schema)
    return {
        **{fact: told[fact] for fact in ("name", "help", "required")}, "type": _bare(told["type"]),
        "bounds": ", ".join(f"{_WORDS.get(name, name)} {value}" for name, value in told["bounds"].items()),
        "optional": optional, "control": control,
        "text": "" if parameter.secret or parameter.required else written(told["default"]),
        "choices": [written(one) for one in _choices(schema)] if control == "choice" else [],
        "whole": schema.get("type") == "integer",
        **{ours: schema[theirs] for theirs, ours in _BOUNDS.items() if isinstance(schema.get(theirs), int | float)},
    }  # fmt: skip


def _bare(written_type: str) -> str:
    """A type as it is written, without the bounds that stand beside it in the form: `Annotated[int, ...]` is `int`."""
    try:
        node = ast.parse(written_type, mode="eval").body
    except SyntaxError:
        return written_type
    if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("Annotated"):
        inside = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else node.slice
        return ast.unparse(inside)
    return written_type


def _schema(parameter: Parameter) -> tuple[Mapping[str, Any], bool]:
    """The JSON schema of a parameter's type without None, empty where there is none, and whether None is allowed."""
    try:
        whole = parameter.adapter.json_schema()
    except Exception:  # noqa: BLE001  # a type of the author's own may have no schema
        return {}, False
    schema = _resolved(whole, whole)
    members = [_resolved(one, whole) for one in schema.get("anyOf", ())]
    others = [one for one in members if one.get("type") != "null"]
    if len(others) == len(members):
        return schema, schema.get("type") == "null"
    return (others[0] if len(others) == 1 else {}), True


def _resolved(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> Mapping[str, Any]:
    name = schema.get("$ref", "").removeprefix("#/$defs/")
    found = whole.get("$defs", {}).get(name)
    return {**found, **{k: v for k, v in schema.items() if k != "$ref"}} if isinstance(found, dict) else schema


def _control(schema: Mapping[str, Any]) -> str:
    if _choices(schema):
        return "choice"
    kind = schema.get("type")
    if kind == "string":
        return _MOMENTS.get(str(schema.get("format", "")), "text")
    return {"boolean": "checkbox", "integer": "number", "number": "number", "array": "json", "object": "json"}.get(
        str(kind), "text"
    )


def _choices(schema: Mapping[str, Any]) -> list[Any]:
    return [schema["const"]] if "const" in schema else list(schema.get("enum", ()))


def written(value: Any) -> str:
    """A plain value as it is written on the command line."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def problems(parameters: ParameterSet, text: Mapping[str, str | None]) -> dict[str, str]:
    """By name, what is wrong with what a form holds; None is a field that is left at its default."""
    found = {p.name: parameters.problem(p.name, text.get(p.name)) for p in parameters.parameters}
    return {name: why for name, why in found.items() if why}
