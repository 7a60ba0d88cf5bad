"""Worker processes: where the service runs its ticks, each in a process that is ended if it does not end by itself."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from p2p.model import RunStatus
from p2p.scheduling import runs
from p2p.scheduling.fields import at
from p2p.scheduling.model import Schedule, Tick
from p2p.scheduling.scheduler import Ended, Opened
from p2p.scheduling.worker import Asked
from p2p.settings import Settings
from p2p.tracking.processes import Descendants

PATIENCE: Final = 10.0  # seconds from an interrupt to a kill


class Workers:
    """Runs ticks in processes, which are kept for the next ones.

    Args:
        settings: the project's.
        wake: called, in a thread, when something has happened.
        log: where what runs print goes; nowhere when not given.
    """

    def __init__(self, settings: Settings, wake: Callable[[], None], log: int = subprocess.DEVNULL) -> None:
        self._settings = settings
        self._wake = wake
        self._log = log
        self._lock = threading.Lock()
        self._events: list[Opened | Ended] = []
        self._idle: list[_Process] = []
        self._busy: dict[int, _Process] = {}

    def start(self, tick: Tick, schedule: Schedule) -> None:
        """Begin an attempt: see `Executor`."""
        with self._lock:
            process = next((one for one in self._idle if one.alive), None)
            self._idle = [one for one in self._idle if one is not process and one.alive]
            process = process or _Process(self._settings, self._happened, self._log)
            self._busy[tick.id] = process
        process.ask(Asked(tick, schedule.target, at(schedule, tick.time)))

    def stop(self, tick: int) -> None:
        """Have an attempt end: see `Executor`."""
        with self._lock:
            process = self._busy.get(tick)
        if process is not None:
            process.interrupt()

    def heard(self) -> Sequence[Opened | Ended]:
        """What has happened: see `Executor`."""
        with self._lock:
            events, self._events = self._events, []
        return events

    def left(self, tick: Tick) -> Ended | None:
        """How the attempt of a dead scheduler ended: see `Executor`."""
        return runs.left(self._settings, tick)

    def close(self) -> None:
        """End all processes; what is at work ends as KILLED."""
        with self._lock:
            all_of_them = [*self._idle, *self._busy.values()]
        for process in all_of_them:
            process.close()

    def _happened(self, process: _Process, event: Opened | Ended, *, gone: bool) -> None:
        with self._lock:
            if isinstance(event, Opened) or self._busy.pop(event.tick, None) is not None:
                self._events.append(event)
            if isinstance(event, Ended) and not gone:
                self._idle.append(process)
        self._wake()


class _Process:
    """One worker process."""

    def __init__(self, settings: Settings, then: Callable[..., None], log: int) -> None:
        self._then = then
        self._asked: Asked | None = None
        self._settings = settings
        self._killer: threading.Timer | None = None
        environment = {**os.environ, "P2P_ROOT": str(settings.root), "MLFLOW_TRACKING_URI": settings.tracking_uri}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "p2p.scheduling.worker", str(settings.root)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=log, text=True, errors="replace", cwd=settings.root, env=environment,
            start_new_session=True,
        )  # fmt: skip
        threading.Thread(target=self._read, name="p2p-worker", daemon=True).start()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, asked: Asked) -> None:
        self._asked = asked
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it is dead, and the reader says so
            self._process.stdin.write(json.dumps(asked.as_dict()) + "\n")
            self._process.stdin.flush()

    def interrupt(self) -> None:
        """Interrupt its run; kill it where that does not help in time."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)
        if self._killer is None:
            self._killer = threading.Timer(PATIENCE, self._kill)
            self._killer.daemon = True
            self._killer.start()

    def close(self) -> None:
        """End it; a run at work is interrupted."""
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._kill()

    def _kill(self) -> None:
        started = Descendants.of(self._process.pid)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        started.kill()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                with contextlib.suppress(ValueError):
                    self._told(json.loads(line))
        code = self._process.wait()
        if self._asked is not None:
            tick, self._asked = self._asked.tick, None
            how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
            ended = runs.left(self._settings, tick)  # it may have ended its run, and nothing said so any more
            if ended is None or ended.status is RunStatus.KILLED:
                told = ended or Ended(tick.id, RunStatus.KILLED)
                ended = replace(told, status=RunStatus.KILLED, error=f"the process of the run ended {how}")
            self._then(self, ended, gone=True)

    def _told(self, answer: dict[str, Any]) -> None:
        if "opened" in answer:
            self._then(self, Opened(answer["tick"], answer["opened"], answer["run_id"]), gone=False)
            return
        self._asked = None
        if self._killer is not None:
            self._killer.cancel()
            self._killer = None
        status = RunStatus(answer["ended"]) if answer["ended"] else None
        self._then(self, Ended(answer["tick"], status, answer["error"], answer["step"]), gone=answer["last"])
