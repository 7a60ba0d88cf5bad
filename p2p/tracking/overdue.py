"""Stopping a step that does not stop when its time is over: from outside, by interrupt and then by force.

A step's own process raises an error in it first (`p2p.execution.timeouts`). Code that swallows every exception, or that
never comes back from a call into C, is not stopped by that.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from p2p.tracking.journal import NAME, Journal, Tail
from p2p.tracking.processes import Descendants

_GRACE = 5.0  # seconds after its limit that a step has to stop by itself: its process tries twice in that time
_FORCE = 2.0  # seconds after the interrupt


@dataclass
class _Attempt:
    step: str
    pid: int
    limit: float
    seconds: float
    interrupted: bool = False


class Overdue:
    """Watches the attempts of one run.

    Args:
        directory: the run's directory.
        spare: the process is somebody's session: interrupt it, never kill it.

    Attributes:
        killed: what was killed, and why; empty while nothing was.
        ended: whether the run has ended, so that there is nothing left to watch.
    """

    def __init__(self, directory: Path, spare: bool) -> None:
        self.killed = ""
        self.ended = False
        self._directory = directory
        self._spare = spare
        self._tail = Tail(directory / NAME)
        self._attempts: dict[str, _Attempt] = {}

    def look(self) -> None:
        """Take in what is new, and stop what is over its time."""
        for event in self._tail.read():
            self._take(event)
        for attempt in list(self._attempts.values()):
            late = time.time() - attempt.limit
            if late > _GRACE and not attempt.interrupted:
                attempt.interrupted = True
                _signal(attempt.pid, signal.SIGINT)
            elif late > _GRACE + _FORCE and not self._spare and not self.killed:
                self._kill(attempt)

    def _take(self, event: Mapping[str, Any]) -> None:
        if event["kind"] == "attempt_started":
            limits = [float(event[name]) for name in ("timeout", "give_up") if event.get(name)]
            if limits:
                limit = event["at"] / 1e9 + min(limits)
                self._attempts[event["id"]] = _Attempt(event["step"], event["pid"], limit, min(limits))
        elif event["kind"] in ("attempt_finished", "step_retried", "step_finished"):
            self._attempts.pop(event["id"], None)
        self.ended = self.ended or event["kind"] == "run_finished"

    def _kill(self, attempt: _Attempt) -> None:
        """The event comes first: whoever sees the process die finds the reason. What it has started goes with it."""
        self.killed = (
            f"StepTimeout: Step '{attempt.step}' did not stop when its {attempt.seconds:g} s were over, "
            "so its process was killed."
        )
        journal = Journal(self._directory)
        journal.append("step_killed", step=attempt.step, pid=attempt.pid, seconds=attempt.seconds, error=self.killed)
        journal.close()
        started = Descendants.of(attempt.pid)
        _signal(attempt.pid, signal.SIGKILL)
        started.kill()


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
