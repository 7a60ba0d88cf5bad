"""Results that are there already: what an earlier run gave, or an equal step. `run_step` asks; `p2p.cache` answers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from p2p.model import ValueRef
from p2p.store import describe

if TYPE_CHECKING:
    from p2p.execution.work import Work


@dataclass(frozen=True)
class Recalled:
    """A result that need not be made again.

    Attributes:
        outputs: the outputs by name; where the step can run anew, they may be a `Namespace` that is not loaded yet.
        refs: where they are stored.
        others: further names that the step has given or changed.
        form: the shape of a function's result: `tuple`, `list`, `one` or `nothing`.
        facts: what the run is told about it (from which run it comes).
        settle: does what is left when the result is in its place.
    """

    outputs: Mapping[str, Any]
    refs: Mapping[str, ValueRef]
    others: Mapping[str, Any] = field(default_factory=dict)
    form: str = "one"
    facts: Mapping[str, Any] = field(default_factory=dict)
    settle: Callable[[], None] = lambda: None


class StepMemory(Protocol):
    """What is known of one execution of a step; its methods are called in this order.

    Attributes:
        changed: after `keep`, inputs that the step has changed in place without giving them as outputs.
    """

    changed: Mapping[str, ValueRef]

    def references(self) -> dict[str, ValueRef]:
        """References of the step's inputs, by name; with digests where they are needed to recognize them."""
        ...

    def recall(self, step_id: str) -> Recalled | None:
        """The result of this step, with these inputs, when it is known; what else it did to the run is done again."""
        ...

    def watching(self) -> AbstractContextManager[None]:
        """Stand around the step's body, to see what it depends on and changes."""
        ...

    def keep(self, step_id: str, outputs: Mapping[str, Any], refs: Mapping[str, ValueRef]) -> dict[str, Any]:
        """Remember what the step gave; answers with what the run is told about that."""
        ...


class Memory(Protocol):
    """Remembers what steps gave; one a run."""

    def of(self, work: Work) -> StepMemory:
        """What is known of a step that is about to run."""
        ...


class NoMemory:
    """Remembers nothing; of a run, or of the step `work`."""

    def __init__(self, work: Work | None = None) -> None:
        self.changed: Mapping[str, ValueRef] = {}
        self._work = work

    def of(self, work: Work) -> StepMemory:
        return NoMemory(work)

    def references(self) -> dict[str, ValueRef]:
        assert self._work is not None
        known, inputs = self._work.known, self._work.inputs
        return {name: known[name] if name in known else describe(inputs[name]) for name in inputs}

    def recall(self, step_id: str) -> Recalled | None:
        return None

    def watching(self) -> AbstractContextManager[None]:
        return contextlib.nullcontext()

    def keep(self, step_id: str, outputs: Mapping[str, Any], refs: Mapping[str, ValueRef]) -> dict[str, Any]:
        return {}
