"""What a pipeline is: steps joined by the names of their inputs and outputs, plus parameters. Description only."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from p2p.errors import InputRefused, nearest
from p2p.policy import Policy
from p2p.terminal import visible

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo


@dataclass(frozen=True, slots=True)
class Task:
    """One step of a pipeline.

    Attributes:
        function: does the work; a plain function.
        inputs: names of the values and parameters it takes, in the order of its arguments; or a mapping from its
            arguments to those names.
        outputs: names of what it returns: one name for the whole result, several for a tuple of that length.
        policy: its retries and timeout.
        name: the step's name; the function's when not given.
        changes: names of values that it gives again, beside what it returns, as they are after it: its inputs that it
            changes in place, and what shares an object or memory with what it changes or returns.
        over: the name of one of its inputs: the function is called once for each item of that, each call tried by the
            policy, and the list of what the calls give is the result. On Dask the calls run beside each other.
    """

    function: Callable[..., Any]
    inputs: Sequence[str] | Mapping[str, str] = ()
    outputs: Sequence[str] = ()
    policy: Policy = field(default_factory=Policy)
    name: str = ""
    changes: Sequence[str] = ()
    over: str = ""

    @property
    def step(self) -> str:
        return self.name or self.function.__name__

    @property
    def takes(self) -> tuple[str, ...]:
        """The names of the values and parameters that it takes, and of what it changes."""
        inputs = self.inputs.values() if isinstance(self.inputs, Mapping) else self.inputs
        return tuple(dict.fromkeys([*inputs, *self.changes]))

    @property
    def gives(self) -> tuple[str, ...]:
        """The names of what it returns, and of what it changes."""
        return tuple(dict.fromkeys([*self.outputs, *self.changes]))

    def arguments(self, values: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """The positional and keyword arguments of its function."""
        if isinstance(self.inputs, Mapping):
            return [], {argument: values[name] for argument, name in self.inputs.items()}
        return [values[name] for name in self.inputs], {}

    @property
    def place(self) -> int | str:
        """Position, or keyword, of the argument that takes the items of `over`."""
        names = self.inputs.items() if isinstance(self.inputs, Mapping) else enumerate(self.inputs)
        return next(place for place, name in names if name == self.over)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Steps in an order in which they can run.

    Attributes:
        name: the pipeline's name.
        version: its version, 1 or more.
        params: a pydantic model of its parameters.
        tasks: the steps; each takes only parameters and what earlier steps give.
        contracts: what values must look like, by name.
        nested: functions that run as steps inside other steps, with their policies.

    Raises:
        InputRefused: a step takes what nothing before it gives, or two steps share a name.
    """

    name: str
    version: int
    params: type[BaseModel]
    tasks: Sequence[Task]
    contracts: Mapping[str, Any] = field(default_factory=dict)
    nested: Mapping[Callable[..., Any], Policy] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = set(self.params.model_fields)
        steps: set[str] = set()
        for task in self.tasks:
            if task.step in steps:
                raise InputRefused(f"Pipeline '{self.name}' has two steps named '{task.step}'.", cure="Rename one.")
            steps.add(task.step)
            for name in task.takes:
                if name not in known:
                    raise InputRefused(_unknown_input(self.name, task.step, name, known))
            _check_over(self.name, task)
            known.update(task.gives)

    def __repr__(self) -> str:
        lines = [self._title()]
        for task in self.tasks:
            policy = _told(task)
            wiring = f"({', '.join(task.takes)}) -> {', '.join(task.gives) or 'nothing'}"
            lines.append(f"  {task.step}{wiring}{f'  {policy}' if policy else ''}")
        return "\n".join(map(visible, lines))

    def _repr_html_(self) -> str:
        from p2p import markup  # late: a pipeline that is only run loads no more than it needs

        rows = [(task.step, ", ".join(task.takes), ", ".join(task.gives), _told(task)) for task in self.tasks]
        parts: list[object] = [markup.title(self._title())]
        if self.params.model_fields:
            fields = [(name, _annotation(one), _default(one)) for name, one in self.params.model_fields.items()]
            parts.append(markup.table(["parameter", "type", "default"], fields))
        parts.append(markup.table(["step", "takes", "gives", "policy"], rows))
        return str(markup.joined(parts))

    def _title(self) -> str:
        steps = f"{len(self.tasks)} step{'s' * (len(self.tasks) != 1)}"
        return f"Pipeline {self.name}@{self.version}: {steps}, gives {', '.join(self.final_outputs()) or 'nothing'}"

    def until(self, step: str) -> Pipeline:
        """The pipeline that ends with this step. Raises InputRefused where it has no such step."""
        names = [task.step for task in self.tasks]
        if step not in names:
            close = nearest(step, names)
            raise InputRefused(
                f"Pipeline '{self.name}' has no step '{step:.80}'.",
                cure=f"Closest name: '{close}'." if close else f"There are: {', '.join(names)}.",
            )
        return replace(self, tasks=self.tasks[: names.index(step) + 1])

    def final_outputs(self) -> tuple[str, ...]:
        """The values that no step takes in, in the order in which they are made.

        A value that is only changed in place by later steps counts for the last step that gives it.
        """
        return final_values([(task.takes, task.gives) for task in self.tasks])


def final_values(wiring: Sequence[tuple[Sequence[str], Sequence[str]]]) -> tuple[str, ...]:
    """The names that are given and not taken in afterwards, from each step's (inputs, outputs) in order."""
    open_names: dict[str, None] = {}
    for inputs, outputs in wiring:
        for name in inputs:
            open_names.pop(name, None)
        for name in outputs:
            open_names.pop(name, None)
            open_names[name] = None
    return tuple(open_names)


def _told(task: Task) -> str:
    """What a step's policy has that others have not, and what it is mapped over."""
    parts = [f"over {task.over}"] if task.over else []
    for name, value in task.policy.changed().items():
        shown = getattr(value, "__name__", None) or (", ".join(value) if isinstance(value, tuple) else repr(value))
        parts.append(f"{name.replace('_', ' ')} {shown[:80]}")
    return ", ".join(parts)


def _annotation(field: FieldInfo) -> str:
    return getattr(field.annotation, "__name__", None) or str(field.annotation)


def _default(field: FieldInfo) -> str:
    return "required" if field.is_required() else repr(field.get_default())[:80]  # a secret's repr is a mask


def _check_over(pipeline: str, task: Task) -> None:
    taken = task.inputs.values() if isinstance(task.inputs, Mapping) else task.inputs
    if task.over and task.over not in taken:
        close = nearest(task.over, taken)
        raise InputRefused(
            f"Pipeline '{pipeline}': step '{task.step}' is mapped over '{task.over}', which it does not take.",
            cure=f"Closest name: '{close}'." if close else "Name one of its inputs.",
        )
    if task.over and inspect.iscoroutinefunction(inspect.unwrap(task.function)):
        raise InputRefused(
            f"Pipeline '{pipeline}': step '{task.step}' is a coroutine function, which cannot be mapped.",
            cure="Make it an ordinary function, or let it take the whole list.",
        )


def _unknown_input(pipeline: str, step: str, name: str, known: set[str]) -> str:
    close = nearest(name, known)
    hint = f" Closest name: '{close}'." if close else ""
    return f"Pipeline '{pipeline}': step '{step}' takes '{name}', which no step before it gives.{hint}"
