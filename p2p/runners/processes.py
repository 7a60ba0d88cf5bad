"""The engine of worker processes on this machine, which run the bodies of steps beside each other."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import Pipe
from typing import Any

from p2p.errors import WorkerLost
from p2p.execution import Tally
from p2p.pipeline import Task
from p2p.runners import worker
from p2p.runners.remote import RemoteEngine
from p2p.runners.slot import told
from p2p.tracking.ownrun import OwnRun
from p2p.tracking.processes import Descendants

_LOOK = 0.2  # seconds between two looks whether to go on waiting


class Slot:
    """One worker process; another one takes its place when it has ended."""

    def __init__(self) -> None:
        self._changing = threading.Lock()  # an attempt may still be left while the run ends
        self._over = False
        self._start()

    def _start(self) -> None:
        self.connection, theirs = Pipe()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "p2p.runners.slot", str(theirs.fileno())], pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL, env={"MPLBACKEND": "agg", **os.environ},
                start_new_session=True,  # else Ctrl-C would reach it, and what it does would go on in a strange state
            )  # fmt: skip
        self.connection.send(sys.path)

    def stop(self, grace: float) -> None:
        """End the attempt that runs here: by itself within `grace` seconds, else with its process."""
        with self._changing:
            if not self._over and not (grace and self._stops_within(grace)):
                self._end()
                self._start()

    def _stops_within(self, grace: float) -> bool:
        self.process.terminate()
        limit = time.monotonic() + grace
        with contextlib.suppress(EOFError, OSError):
            while self.connection.poll(max(0.0, limit - time.monotonic())):
                if told(self.connection.recv_bytes()) is None:
                    return True
        return False

    def close(self) -> None:
        """End the process and what it has started, for good."""
        with self._changing:
            self._over = True
            self._end()

    def _end(self) -> None:
        started = Descendants.of(self.process.pid)
        self.process.kill()
        started.kill()
        self.process.wait()
        self.connection.close()


class ProcessEngine(RemoteEngine):
    """Calls the functions of tasks in worker processes of this machine.

    Args:
        slots: the processes.
        own_run: the run that user code logs to.
    """

    def __init__(self, slots: Collection[Slot], own_run: OwnRun) -> None:
        super().__init__(own_run)
        self._free: queue.SimpleQueue[Slot] = queue.SimpleQueue()
        self._busy: dict[str, Slot] = {}
        for slot in slots:
            self._free.put(slot)

    def map(self, task: Task, values: Mapping[str, Any], tally: Tally) -> Any:
        """What a mapped task gives: its items one after another, in one of the processes."""
        return self.call(task, values, tally)

    def _result(self, blob: bytes, attempt: str, step: str) -> bytes:
        slot = self._taken()
        self._busy[attempt] = slot
        try:
            slot.connection.send((blob, attempt))
            found = self._received(slot)
        except (EOFError, OSError):
            raise WorkerLost(step, f"its process ended ({_ending(slot)})") from None
        self._free.put(self._busy.pop(attempt))
        return found

    def _received(self, slot: Slot) -> bytes:
        """The answer; how far the attempt is, which comes before it, is told."""
        while True:
            while not slot.connection.poll(_LOOK):
                self.turn.check()
            found = slot.connection.recv_bytes()
            message = told(found)
            if message is None:
                return found
            self._hearing.take(message)

    def _taken(self) -> Slot:
        while True:
            self.turn.check()
            with contextlib.suppress(queue.Empty):
                return self._free.get(timeout=_LOOK)

    def _leave(self, attempts: Collection[str], *, goes_on: bool) -> None:
        for slot in [self._busy.pop(attempt) for attempt in attempts if attempt in self._busy]:
            slot.stop(worker.GRACE if goes_on else 0)
            self._free.put(slot)


def _ending(slot: Slot) -> str:
    with contextlib.suppress(subprocess.TimeoutExpired):
        code = slot.process.wait(1)
        return f"signal {-code}" if code < 0 else f"exit code {code}"
    return "it closed its connection"


@contextmanager
def processes(jobs: int) -> Iterator[list[Slot]]:
    """So many worker processes, for the block."""
    slots = [Slot() for _ in range(jobs)]
    try:
        yield slots
    finally:
        for slot in slots:
            slot.close()
