"""What a run is told about one step: its events, in order."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from p2p.execution.memory import NoMemory, Recalled, StepMemory
from p2p.execution.place import Place, here
from p2p.execution.services import Services
from p2p.execution.work import Work
from p2p.model import StepState, ValueRef
from p2p.progress import Progress


class Attempted(Protocol):
    """What attempts tell about themselves.

    Attributes:
        attempts: how often the body has begun.
        place: where it runs.
    """

    attempts: int
    place: Place

    def attempt_started(self, limits: Mapping[str, float]) -> None:
        """An attempt that has limits begins: whoever watches from outside must end this process if it passes them."""

    def attempt_finished(self) -> None:
        """It has ended."""

    def retried(self, error: BaseException, delay: float, missed: Sequence[str]) -> None:
        """It has failed, and another one follows after `delay` seconds."""


class Telling:
    """Tells the run what happens to one step.

    Attributes:
        place: where the step runs.
        memory: knows results that need not be made again.
        attempts: how often its body has begun.
    """

    def __init__(self, work: Work, services: Services) -> None:
        self.work = work
        self.services = services
        self.caller = here()
        self.place = self.caller.child(work.name, services.run)
        # What a step inside another one gives is part of that one's result.
        self.memory: StepMemory = NoMemory(work) if self.caller.name else services.memory.of(work)
        self.attempts = 0
        self.began = services.clock()

    def started(self) -> None:
        inputs = {name: ref.as_dict() for name, ref in self.memory.references().items()}
        self._tell("step_started", inputs=inputs, parent=self.caller.name, parent_id=self.caller.id,
                   attributes=dict(self.work.attributes))  # fmt: skip

    def moved(self, progress: Progress) -> None:
        """A bar of the step says how far it is."""
        if self.services.moments is not None:
            self.services.moments.moved(
                self.place.id, step=self.work.name, parent=self.caller.name, **progress.as_dict()
            )

    def attempt_started(self, limits: Mapping[str, float]) -> None:
        self._tell("attempt_started", attempt=self.attempts, pid=os.getpid(), **limits)

    def attempt_finished(self) -> None:
        self._tell("attempt_finished", attempt=self.attempts)

    def retried(self, error: BaseException, delay: float, missed: Sequence[str]) -> None:
        self._tell("step_retried", attempt=self.attempts, delay=delay, **told_missed(missed), **describe_error(error))

    def done(self, outputs: Mapping[str, Any], refs: Mapping[str, ValueRef], kept: Mapping[str, Any]) -> None:
        if not self.caller.name and not any(_is_frame(v) for v in self.work.inputs.values()):
            self._tell_datasets(outputs, refs)
        self._end(StepState.DONE, outputs={name: ref.as_dict() for name, ref in refs.items()}, **kept)

    def recalled(self, found: Recalled) -> None:
        """The step's result was there already."""
        self._end(StepState.CACHED, outputs={name: ref.as_dict() for name, ref in found.refs.items()}, **found.facts)

    def fell_back(self, refs: Mapping[str, ValueRef], error: BaseException, missed: Sequence[str]) -> None:
        """The fallback stands in for the result: the step is done, and its error is told all the same."""
        self._end(StepState.DONE, outputs={name: ref.as_dict() for name, ref in refs.items()}, fallback=True,
                  **told_missed(missed), **describe_error(error))  # fmt: skip

    def failed(self, error: BaseException) -> None:
        self._end(StepState.FAILED, outputs={}, **describe_error(error))

    def _end(self, state: StepState, **data: Any) -> None:
        seconds = self.services.clock() - self.began
        self._tell("step_finished", state=state.value, seconds=seconds, attempts=self.attempts,
                   parent=self.caller.name, **self.work.tells(), **data)  # fmt: skip

    def _tell(self, kind: str, **data: Any) -> None:
        self.services.events.append(kind, step=self.work.name, id=self.place.id, **data)

    def _tell_datasets(self, outputs: Mapping[str, Any], refs: Mapping[str, ValueRef]) -> None:
        """A frame made without a frame was read from somewhere: MLflow calls that a dataset."""
        for name, value in outputs.items():
            if _is_frame(value) and refs[name].digest:
                columns = [[str(column), str(dtype)] for column, dtype in value.dtypes.items()]
                self._tell("dataset", name=name, digest=refs[name].digest, columns=columns, rows=len(value))


def told_missed(missed: Sequence[str]) -> dict[str, Any]:
    """What is told when some inputs could not be put back to what they were."""
    return {"reset": "partial", "not_reset": list(missed)} if missed else {}


def _is_frame(value: Any) -> bool:
    return type(value).__name__ == "DataFrame" and hasattr(value, "dtypes") and hasattr(value.dtypes, "items")


def describe_error(error: BaseException) -> dict[str, str]:
    """An exception as plain text: its type, message and traceback."""
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    return {"error_type": type(error).__name__, "error": str(error)[:2000], "traceback": "".join(lines)[-8000:]}
