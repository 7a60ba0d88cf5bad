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


@contextmanager
def deadline(limit: Limit | None) -> Iterator[None]:
    """Raise StepTimeout in the block when it takes longer than the limit; None sets none."""
    if limit is None:
        yield
    elif threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer"):
        with _by_signal(limit):
            yield
    else:
        with _by_thread(limit):
            yield


@contextmanager
def _by_signal(limit: Limit) -> Iterator[None]:
    outer, interval = signal.getitimer(signal.ITIMER_REAL)
    if 0 < outer <= limit.seconds:  # whoever set that timer comes first
        yield
        return
    began = time.monotonic()
    ended = threading.Event()
    before = signal.signal(signal.SIGALRM, _stopping_until(ended))
    try:
        signal.setitimer(signal.ITIMER_REAL, limit.seconds, GRACE)
        try:
            yield
        finally:
            ended.set()
    except OutOfTime as error:
        raise limit.passed().with_traceback(error.__traceback__) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if outer:
            signal.setitimer(signal.ITIMER_REAL, max(outer - (time.monotonic() - began), 1e-6), interval)


def _stopping_until(ended: threading.Event) -> Callable[[int, FrameType | None], None]:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        if not ended.is_set():
            raise OutOfTime

    return stop


@contextmanager
def _by_thread(limit: Limit) -> Iterator[None]:
    target = threading.get_ident()
    passed = threading.Event()
    ended = threading.Event()
    turn = threading.Lock()

    def watch() -> None:
        wait = limit.seconds
        while not ended.wait(wait):
            with turn:
                if not ended.is_set():
                    passed.set()
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(target), ctypes.py_object(OutOfTime))
            wait = GRACE

    threading.Thread(target=watch, daemon=True, name="p2p-timeout").start()
    try:
        try:
            yield
        finally:
            with turn:
                ended.set()
            if passed.is_set():
                # The error may still be on its way when the block ended by itself in the last instant.
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(target), None)
    except OutOfTime as error:
        if not passed.is_set():
            raise  # an outer step's
        raise limit.passed().with_traceback(error.__traceback__) from None


@asynccontextmanager
async def async_deadline(limit: Limit | None) -> AsyncIterator[None]:
    """`deadline` for a coroutine. Between two of its awaits nothing stops it."""
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
