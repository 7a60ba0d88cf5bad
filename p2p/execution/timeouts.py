"""Stopping code that takes too long, in whichever way the place allows.

The main thread is stopped by a timer signal, which also ends a blocking system call. Other threads, and systems
without the signal, get the error raised between two bytecodes. Limits nest: a step within a step leaves the outer one's
limit in force.
"""

from __future__ import annotations

import ctypes
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from p2p.errors import StepTimeout


class OutOfTime(BaseException):
    """Raised in the code that is stopped; no Exception, so that neither its own handlers nor an inner step's retries
    go on with it. Takes no argument, because it may be raised in another thread by its class alone.
    """

    def __str__(self) -> str:
        return "the time of this step, or of the step around it, was over"


@contextmanager
def deadline(step: str, seconds: float | None) -> Iterator[None]:
    """Raise StepTimeout in the block when it takes longer than `seconds`; None sets no limit."""
    if seconds is None:
        yield
    elif threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer"):
        with _by_signal(step, seconds):
            yield
    else:
        with _by_thread(step, seconds):
            yield


@contextmanager
def _by_signal(step: str, seconds: float) -> Iterator[None]:
    outer = signal.getitimer(signal.ITIMER_REAL)[0]
    if 0 < outer <= seconds:  # whoever set that timer comes first
        yield
        return
    began = time.monotonic()
    before = signal.signal(signal.SIGALRM, _stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            if outer:
                signal.setitimer(signal.ITIMER_REAL, max(outer - (time.monotonic() - began), 1e-6))
    except OutOfTime as error:
        raise StepTimeout(step, seconds).with_traceback(error.__traceback__) from None


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise OutOfTime


@contextmanager
def _by_thread(step: str, seconds: float) -> Iterator[None]:
    target = threading.get_ident()
    passed = threading.Event()
    ended = threading.Event()
    turn = threading.Lock()

    def stop() -> None:
        with turn:
            if not ended.is_set():
                passed.set()
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(target), ctypes.py_object(OutOfTime))

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        try:
            yield
        finally:
            with turn:
                ended.set()
            timer.cancel()
            if passed.is_set():
                # The error may still be on its way when the block ended by itself in the last instant.
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(target), None)
    except OutOfTime as error:
        if not passed.is_set():
            raise  # an outer step's
        raise StepTimeout(step, seconds).with_traceback(error.__traceback__) from None
