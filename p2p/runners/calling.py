"""A task's function called, here or on a worker, and what it gives by name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from p2p.execution import Call, Tally, current_services, items_of, map_here
from p2p.pipeline import Task
from p2p.steps.decorator import name_outputs


def called(task: Task, values: Mapping[str, Any]) -> Any:
    """What the task gives for these values, by name, or an awaitable of it."""
    args, kwargs = task.arguments(values)
    return given(task, task.function(*args, **kwargs), values)


def mapped(task: Task, values: Mapping[str, Any], tally: Tally) -> dict[str, Any]:
    """What a task that is mapped gives for these values, by name: its function called here with one item each time."""
    found = map_here(call_of(task, values), items_of(values[task.over], task.step), task.policy, tally,
                     current_services())  # fmt: skip
    return named(task, found, values)


def call_of(task: Task, values: Mapping[str, Any]) -> Call:
    """The call that a mapped task makes for each item."""
    args, kwargs = task.arguments(values)
    return Call(task.function, tuple(args), kwargs, task.place).on(None)


def given(task: Task, result: Any, values: Mapping[str, Any]) -> Any:
    """The function's result by name, with the values that it has changed; an awaitable where the result is one."""
    return _awaited(task, result, values) if inspect.isawaitable(result) else named(task, result, values)


async def _awaited(task: Task, result: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    return named(task, await result, values)


def named(task: Task, result: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """The result by name, with the values that the task has changed."""
    return {**{name: values[name] for name in task.changes}, **name_outputs(result, tuple(task.outputs))}
