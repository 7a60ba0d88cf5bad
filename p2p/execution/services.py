"""What a step needs from outside, passed in: where events and values go, the clock, and how to wait."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from p2p.execution.memory import Memory, NoMemory
from p2p.execution.place import here
from p2p.store import ValueStore


class EventSink(Protocol):
    """Takes the events of a run, one at a time."""

    def append(self, kind: str, **data: Any) -> None:
        """Record one event; `data` is plain JSON."""
        ...


class MomentSink(Protocol):
    """Takes what is true for a moment only: how far a step is."""

    def moved(self, execution: str, **data: Any) -> None:
        """The step of that id has come so far; `data` is plain JSON."""
        ...

    def gone(self, execution: str) -> None:
        """It is at work no more."""
        ...


class NoEvents:
    """An event sink for code that runs outside any run."""

    def append(self, kind: str, **data: Any) -> None:
        """Forget the event."""


async def _sleep(seconds: float) -> None:
    """Wait without blocking where an event loop runs, and block where none does."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        time.sleep(seconds)
    else:
        await asyncio.sleep(seconds)


def _block(seconds: float) -> None:
    time.sleep(seconds)


@dataclass(frozen=True)
class Services:
    """The services of one run.

    Attributes:
        events: where events go.
        values: where outputs are kept; None keeps nothing (outside a run).
        memory: knows results that need not be made again.
        directory: the run's own directory, for figures; None for none.
        run: key of the first of the runs that resume each other; empty outside any. Idempotency keys come from it.
        clock: seconds since the epoch.
        monotonic: seconds that never jump, for limits.
        sleep: waits in a step written as a coroutine.
        block: waits in an ordinary step.
        random: a random number from 0 to 1, for waits; it leaves the global generators alone, which are the steps' own.
        moments: told how far steps are; None where nobody wants to know.
        keep_figures: leave figures open after a step, because a notebook shows them at the cell's end.
    """

    events: EventSink = field(default_factory=NoEvents)
    values: ValueStore | None = None
    memory: Memory = field(default_factory=NoMemory)
    directory: Path | None = None
    run: str = ""
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = _sleep
    block: Callable[[float], None] = _block
    random: Callable[[], float] = random.SystemRandom().random  # without a state, so forked workers differ
    moments: MomentSink | None = None
    keep_figures: bool = False


def by_step(append: Callable[..., None]) -> Callable[..., None]:
    """`append`, which also says by which step an event was caused."""

    def appending(kind: str, **data: Any) -> None:
        step = here().id
        append(kind, **({"step_id": step} if step else {}), **data)

    return appending


_current: list[Callable[[], Services]] = []


def current_services() -> Services:
    """The services of the run that this process works for; outside any run, events and values go nowhere."""
    return _current[-1]() if _current else Services()


@contextmanager
def use_services(services: Services) -> Iterator[None]:
    """Let steps that are called in the block belong to this run."""

    def provide() -> Services:
        return services

    _current.append(provide)
    try:
        yield
    finally:
        _current.remove(provide)


def activate(provide: Callable[[], Services] | None) -> None:
    """Let steps belong to the run that `provide` gives (and may open) from now on; None ends that.

    For a kernel, which has one run at a time and opens it at its first step.
    """
    _current[:] = [] if provide is None else [provide]
