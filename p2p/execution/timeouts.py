"""Stopping code that takes too long, in whichever way the place allows.

The main thread is stopped by a timer signal, which also ends a blocking system call. Other threads, and systems
without the signal, get the error raised between two bytecodes; a coroutine is cancelled. Code that catches that is
stopped again every `GRACE` seconds until it ends. Code that never does can only be ended with its process, from outside
it: the `attempt_started` event tells the limit to whoever watches the run.

Limits nest: a step within a step leaves the outer one's limit in force.
"""

from __future__ import annotations

import asyncio
import ctypes
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TypeVar

from p2p.errors import StepTimeout

GRACE = 2.0  # seconds in which code that is stopped may clean up before it is stopped again


class OutOfTime(BaseException):
    """Raised in the code that is stopped; no Exception, so that neither its own handlers nor an inner step's retries
    go on with it. Takes no argument, because it may be raised in another thread by its class alone.
    """

    def __str__(self) -> str:
        return "the time of this step, or of the step around it, was over"


@dataclass(frozen=True)
class Limit:
    """How long an attempt may take.

    Attributes:
        step: the step's name.
        seconds: how long from now.
        whole: the limit as the policy states it, for the error.
        name: which limit of the policy that is.
    """

    step: str
    seconds: float
    whole: float
    name: str = "timeout"

    def passed(self) -> StepTimeout:
        return StepTimeout(self.step, self.whole, self.name)


T = TypeVar("T")


def in_time(limit: Limit | None, call: Callable[[], T]) -> T:
    """What `call` gives; StepTimeout is raised in it when it takes longer than the limit, of which None sets none.

    No `with` statement would do: an error that comes while its block is left, before any line of ours, is nobody's.
    """
    if limit is None:
        return call()
    clock = _clock(limit.seconds)
    try:
        try:
            clock.start()
            return call()
        finally:
            clock.stop()
    except OutOfTime as error:
        clock.stop()  # the error may have come while it was being stopped
        if not clock.passed:
            raise  # an outer step's
        raise limit.passed().with_traceback(error.__traceback__) from None


def _clock(seconds: float) -> _SignalClock | _ThreadClock:
    by_signal = threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer")
    return _SignalClock(seconds) if by_signal else _ThreadClock(seconds)


class _SignalClock:
    """Raises OutOfTime in the main thread, again and again until it is stopped; it may be stopped twice.

    Attributes:
        passed: whether it has raised the error.
    """

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._seconds = seconds
        self._ended = False
        self._armed = False

    def start(self) -> None:
        self._outer, self._interval = signal.getitimer(signal.ITIMER_REAL)
        if 0 < self._outer <= self._seconds:  # whoever set that timer comes first
            return
        self._began = time.monotonic()
        self._before = signal.signal(signal.SIGALRM, self._ring)
        self._armed = True
        signal.setitimer(signal.ITIMER_REAL, self._seconds, GRACE)

    def stop(self) -> None:
        self._ended = True
        if not self._armed:
            return
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)
        self._armed = False
        if self._outer:
            left = self._outer - (time.monotonic() - self._began)
            signal.setitimer(signal.ITIMER_REAL, max(left, 1e-6), self._interval)

    def _ring(self, _signal: int, _frame: FrameType | None) -> None:
        if not self._ended:
            self.passed = True
            raise OutOfTime


class _ThreadClock:
    """As `_SignalClock`, in the thread that makes it."""

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._seconds = seconds
        self._target = threading.get_ident()
        self._ended = threading.Event()
        self._turn = threading.Lock()

    def start(self) -> None:
        threading.Thread(target=self._watch, daemon=True, name="p2p-timeout").start()

    def stop(self) -> None:
        with self._turn:
            self._ended.set()
        if self.passed:
            _raise_in(self._target, None)  # the error may still be on its way when the call ended by itself

    def _watch(self) -> None:
        wait = self._seconds
        while not self._ended.wait(wait):
            with self._turn:
                if not self._ended.is_set():
                    self.passed = True
                    _raise_in(self._target, OutOfTime)
            wait = GRACE


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    """Raise an error in a thread between two of its bytecodes; None takes back the one that has not come yet."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), None if error is None else ctypes.py_object(error)
    )


@asynccontextmanager
async def async_deadline(limit: Limit | None) -> AsyncIterator[None]:
    """`in_time` for a coroutine. Between two of its awaits nothing stops it."""
    if limit is None:
        yield
        return
    try:
        async with asyncio.timeout(limit.seconds) as timeout:
            with _cancelled_again(limit.seconds):
                yield
    except TimeoutError:
        if timeout.expired():
            raise limit.passed() from None
        raise


@contextmanager
def _cancelled_again(seconds: float) -> Iterator[None]:
    """In the block, cancel this task every `GRACE` seconds from `seconds` on, once more than `asyncio.timeout` does."""
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()

    def cancel() -> None:
        task.cancel()
        timers.append(loop.call_later(GRACE, cancel))

    timers = [loop.call_later(seconds + GRACE, cancel)]
    try:
        yield
    finally:
        timers[-1].cancel()
        for _ in timers[1:]:
            task.uncancel()
