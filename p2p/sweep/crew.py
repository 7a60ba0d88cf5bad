"""Threads that do jobs side by side, told one by one what to do. Knows nothing of points and runs."""

from __future__ import annotations

import ctypes
import queue
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


class Crew(Generic[Job, Result]):
    """Does jobs in as many threads as it is given at most; they are started as they are needed.

    Args:
        size: how many jobs are done at a time.
        work: does a job; what it raises is its result too.

    Attributes:
        busy: how many jobs are being done, or are done and not taken yet.
    """

    def __init__(self, size: int, work: Callable[[Job], Result]) -> None:
        self.size = size
        self.busy = 0
        self._work = work
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[Job, Result | BaseException]] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._working: set[int] = set()
        self._stopped = False

    def give(self, job: Job) -> None:
        """Have a job done."""
        self.busy += 1
        if len(self._threads) < self.busy:
            # A daemon: one that hangs does not keep the process from ending.
            self._threads.append(threading.Thread(target=self._run, name="p2p-sweep", daemon=True))
            self._threads[-1].start()
        self._jobs.put(job)

    def take(self, timeout: float | None = None) -> tuple[Job, Result | BaseException]:
        """The next job that is done, and what it gave or raised. Raises queue.Empty after `timeout` seconds."""
        found = self._done.get(timeout=timeout)
        self.busy -= 1
        return found

    def dismiss(self) -> None:
        """Let the threads go, once what they do is done."""
        for _ in self._threads:
            self._jobs.put(None)

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt in the threads that are at work, as Ctrl-C does in the main thread; begin no job."""
        self._stopped = True
        for thread in list(self._working):
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(KeyboardInterrupt))

    def left(self, within: float) -> list[tuple[Job, Result | BaseException]]:
        """What is done within some seconds of all that is being done."""
        limit = time.monotonic() + within
        found = []
        while self.busy:
            try:
                found.append(self.take(timeout=max(0.0, limit - time.monotonic())))
            except queue.Empty:
                break
        return found

    def _run(self) -> None:
        me = threading.get_ident()
        while (job := self._jobs.get()) is not None:
            try:
                self._working.add(me)
                if self._stopped:
                    raise KeyboardInterrupt
                result: Result | BaseException = self._work(job)
                self._working.discard(me)
            except BaseException as error:  # noqa: BLE001  # it is the job's result, told to whoever gave it
                self._working.discard(me)
                result = error
            self._done.put((job, result))
