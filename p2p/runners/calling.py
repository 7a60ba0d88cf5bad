"""A task's function called, here or on a worker, and what it gives by name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from p2p.pipeline import Task
from p2p.step.decorator import name_outputs


def called(task: Task, values: Mapping[str, Any]) -> Any:
    """What the task gives for these values, by name, or an awaitable of it."""
    args, kwargs = task.arguments(values)
    return given(task, task.function(*args, **kwargs), values)


def given(task: Task, result: Any, values: Mapping[str, Any]) -> Any:
    """The function's result by name, with the values that it has changed; an awaitable where the result is one."""
    return _awaited(task, result, values) if inspect.isawaitable(result) else _named(task, result, values)


async def _awaited(task: Task, result: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    return _named(task, await result, values)


def _named(task: Task, result: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: values[name] for name in task.changes}, **name_outputs(result, tuple(task.outputs))}
