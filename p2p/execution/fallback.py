"""What stands in for a step's result: a value, or what a function makes of the step's inputs."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from typing import Any

from p2p.execution.rewind import copied


def fallback_result(fallback: Any, inputs: Mapping[str, Any]) -> Any:
    """The result of a policy's fallback.

    Args:
        fallback: a function, or a value. Of a value that can be copied a copy is given, so that the next fallback is
            not what a later step has made of this one.
        inputs: the step's inputs by name, in order.
    """
    if callable(fallback):
        given, by_name = _arguments(fallback, inputs)
        return fallback(*given, **by_name)
    try:
        return copied(fallback)
    except Exception:  # noqa: BLE001  # copying runs the value's own code; the value itself will do
        return fallback


def unmet(fallback: Any, names: Collection[str]) -> list[str]:
    """The parameters that a fallback function needs and that are not among these names."""
    return [p.name for p in _parameters(fallback) if _is_needed(p) and not (_has_name(p) and p.name in names)]


def _arguments(function: Any, inputs: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The inputs that have the names of the function's parameters; all in order if it needs another one."""
    if unmet(function, inputs):
        return list(inputs.values()), {}
    parameters = _parameters(function)
    named = {p.name for p in parameters if _has_name(p)}
    takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters)
    return [], {name: value for name, value in inputs.items() if takes_all or name in named}


def _parameters(function: Any) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values()) if callable(function) else []
    except (TypeError, ValueError):  # a function of C that does not tell: `dict`
        return []


def _is_needed(parameter: inspect.Parameter) -> bool:
    open_ended = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    return parameter.default is parameter.empty and not open_ended


def _has_name(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
