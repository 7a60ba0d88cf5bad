"""`run_step`: where contract, policy, values and events meet.

The notebook's cell, papermill's kernel, the local runner and the exported module all come through here, so a step
behaves and is seen the same everywhere. The story is written once, as a coroutine: an ordinary step never suspends
it, so `run_step` can drive it to its end by hand.
"""

from __future__ import annotations

import inspect
import traceback
import uuid
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from p2p import contracts
from p2p.errors import StepTimeout
from p2p.execution import figures
from p2p.execution.services import Services
from p2p.execution.timeouts import deadline
from p2p.model import StepState, ValueRef
from p2p.policy import Policy
from p2p.store import describe

_CURRENT: ContextVar[tuple[str, str]] = ContextVar("p2p_step", default=("", ""))


@dataclass(frozen=True, kw_only=True)
class Work:
    """One step, ready to run.

    Attributes:
        name: the step's name in its run.
        body: does the work; returns the outputs by name, or an awaitable of them.
        inputs: the values that it reads, by name.
        known: references of inputs whose value is known to be unchanged since it was stored.
        policy: retries and timeout.
        contracts: what inputs and outputs must look like, by name.
        reset: puts back what a failed attempt may have changed.
        coroutine: the body returns an awaitable.
        attributes: further facts for the trace (cell number, function).
    """

    name: str
    body: Callable[[], Any]
    inputs: Mapping[str, Any] = field(default_factory=dict)
    known: Mapping[str, ValueRef] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    contracts: Mapping[str, Any] = field(default_factory=dict)
    reset: Callable[[], None] | None = None
    coroutine: bool = False
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What a step gave: its outputs, and references to them where the run keeps values."""

    outputs: Mapping[str, Any]
    refs: Mapping[str, ValueRef]
    attempts: int


def current_step() -> str:
    """The name of the step that is running here; empty outside any."""
    return _CURRENT.get()[1]


def run_step(work: Work, services: Services) -> Outcome:
    """Run an ordinary step to its end. Raises what its last attempt raised."""
    return drive(arun_step(work, services))


async def arun_step(work: Work, services: Services) -> Outcome:
    """Run one step: check what goes in, try it by its policy, check and keep what comes out, tell what happened."""
    telling = _Telling(work, services)
    token = _CURRENT.set((telling.id, work.name))
    try:
        telling.started()
        contracts.check(work.name, work.inputs, work.contracts)
        with _figures(work, services) as drawn:
            outputs = await _attempts(work, services, telling, drawn)
        contracts.check(work.name, outputs, work.contracts)
        refs = {name: _keep(value, services) for name, value in outputs.items()}
    except BaseException as error:
        telling.failed(error)
        raise
    finally:
        _CURRENT.reset(token)
    telling.done(outputs, refs)
    return Outcome(outputs, refs, telling.attempts)


async def _attempts(
    work: Work, services: Services, telling: _Telling, drawn: figures.Figures | None
) -> Mapping[str, Any]:
    """The outputs of the first attempt that succeeds; the last one's error when none does."""
    while True:
        telling.attempts += 1
        try:
            return await _once(work)
        except Exception as error:
            if telling.attempts > work.policy.retries:
                raise
            delay = work.policy.delay(telling.attempts)
            telling.retried(error, delay)
            await services.sleep(delay) if work.coroutine else services.block(delay)
            if drawn is not None:
                drawn.discard()
            if work.reset:
                work.reset()


async def _once(work: Work) -> Mapping[str, Any]:
    if work.coroutine:
        return await _once_async(work)
    with deadline(work.name, work.policy.timeout):
        result = work.body()
    return dict(result)


async def _once_async(work: Work) -> Mapping[str, Any]:
    import asyncio

    try:
        async with asyncio.timeout(work.policy.timeout) as limit:
            result = work.body()
            return dict(await result if inspect.isawaitable(result) else result)
    except TimeoutError:
        if limit.expired() and work.policy.timeout is not None:
            raise StepTimeout(work.name, work.policy.timeout) from None
        raise


def _keep(value: Any, services: Services) -> ValueRef:
    return services.values.put(value) if services.values is not None else describe(value)


@contextmanager
def _figures(work: Work, services: Services) -> Iterator[figures.Figures | None]:
    """Figures drawn in the block become artifacts of the run; those of a failed step too, as far as they came."""
    if services.directory is None:
        yield None
        return
    folder = services.directory / "figures"
    with figures.collected(folder, work.name, keep_open=services.keep_figures) as drawn:
        try:
            yield drawn
            drawn.save()
        finally:
            for path in drawn.paths:
                services.events.append("artifact", step=work.name, path=f"figures/{path.name}", folder="figures")


def drive(coroutine: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Run a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: Outcome = stop.value
        return result
    coroutine.close()
    raise RuntimeError("an ordinary step tried to wait; write it as a coroutine (async def)")


class _Telling:
    """Tells the run what happens to one step."""

    def __init__(self, work: Work, services: Services) -> None:
        self.work = work
        self.services = services
        self.id = uuid.uuid4().hex[:16]
        self.parent_id, self.parent = _CURRENT.get()
        self.attempts = 0
        self.began = services.clock()

    def started(self) -> None:
        inputs = {name: self._input_ref(name, value).as_dict() for name, value in self.work.inputs.items()}
        self._tell("step_started", inputs=inputs, parent=self.parent, parent_id=self.parent_id,
                   attributes=dict(self.work.attributes))  # fmt: skip

    def retried(self, error: BaseException, delay: float) -> None:
        self._tell("step_retried", attempt=self.attempts, delay=delay, **describe_error(error))

    def done(self, outputs: Mapping[str, Any], refs: Mapping[str, ValueRef]) -> None:
        if not self.parent and not any(_is_frame(v) for v in self.work.inputs.values()):
            self._tell_datasets(outputs, refs)
        self._end(StepState.DONE, outputs={name: ref.as_dict() for name, ref in refs.items()})

    def failed(self, error: BaseException) -> None:
        self._end(StepState.FAILED, outputs={}, **describe_error(error))

    def _end(self, state: StepState, **data: Any) -> None:
        seconds = self.services.clock() - self.began
        self._tell("step_finished", state=state.value, seconds=seconds, attempts=self.attempts,
                   parent=self.parent, **data)  # fmt: skip

    def _tell(self, kind: str, **data: Any) -> None:
        self.services.events.append(kind, step=self.work.name, id=self.id, **data)

    def _input_ref(self, name: str, value: Any) -> ValueRef:
        known = self.work.known.get(name)
        return known if known is not None else describe(value)

    def _tell_datasets(self, outputs: Mapping[str, Any], refs: Mapping[str, ValueRef]) -> None:
        """A frame made without a frame was read from somewhere: MLflow calls that a dataset."""
        for name, value in outputs.items():
            if _is_frame(value) and refs[name].digest:
                columns = [[str(column), str(dtype)] for column, dtype in value.dtypes.items()]
                self._tell("dataset", name=name, digest=refs[name].digest, columns=columns, rows=len(value))


def _is_frame(value: Any) -> bool:
    return type(value).__name__ == "DataFrame" and hasattr(value, "dtypes") and hasattr(value.dtypes, "items")


def describe_error(error: BaseException) -> dict[str, str]:
    """An exception as plain text: its type, message and traceback."""
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    return {"error_type": type(error).__name__, "error": str(error)[:2000], "traceback": "".join(lines)[-8000:]}
