"""Stopping code that takes too long, in whichever way the place allows.

The main thread is stopped by a timer signal, which also ends a blocking system call. Other threads, and systems
without the signal, get the error raised between two bytecodes.
"""

from __future__ import annotations

import ctypes
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from p2p.errors import StepTimeout


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
    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise StepTimeout(step, seconds)

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _by_thread(step: str, seconds: float) -> Iterator[None]:
    target = threading.get_ident()
    passed = threading.Event()

    def stop() -> None:
        passed.set()
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(target), ctypes.py_object(_Stopped))

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    except _Stopped:
        raise StepTimeout(step, seconds) from None
    finally:
        timer.cancel()
        if passed.is_set():
            # The error may still be on its way when the block ended by itself in the last instant.
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(target), None)


class _Stopped(BaseException):
    """Raised in another thread, which only takes a class without arguments."""
