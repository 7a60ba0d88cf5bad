"""The owner's end of the pipe to its sidecar."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from p2p.settings import Settings
from p2p.tracking.owner import this_process

_START = 90.0  # seconds that the process may take to import MLflow and to make the store, on a busy machine
_FIRST = 4.0  # seconds that the store may take to make a run before the run goes on without it
_FREE = 1.0  # seconds that each run of a sweep may wait without using up the patience of the whole


def patience() -> float:
    """Seconds that MLflow may add to a run: `P2P_TRACKING_PATIENCE`, else 10."""
    try:
        return max(0.0, float(os.environ.get("P2P_TRACKING_PATIENCE", "10")))
    except ValueError:
        return 10.0


class Beside:
    """Starts a sidecar and speaks to it; several threads may, each for a run of its own.

    It is started at once, so that it has imported MLflow by the time a run needs it. Of a run that MLflow knows the
    whole of, nothing is kept here.

    Args:
        settings: the project's.
        warn: told of a store that takes nothing, once a run.
        spare: this process is somebody's session: the sidecar may interrupt it, and must not kill it.
    """

    def __init__(self, settings: Settings, warn: Callable[[str], None], *, spare: bool = False) -> None:
        self._settings = settings
        self._warn = warn
        self._spare = spare
        self._changed = threading.Condition()
        self._speaking = threading.RLock()
        self._ready = False
        self._trouble = ""
        self._warned = False
        self._hurried = False
        self._unsent: dict[str, None] = {}
        self._runs: dict[str, dict[str, str]] = {}
        self._refused: list[str] = []
        self._left = patience()
        self._free = 0.0
        self._start()

    def open(self, key: str, *, renews: bool = True) -> None:
        """Let it feed the run `key`; returns at once.

        Args:
            key: the run's.
            renews: the store may keep this run waiting as long as any other; else it shares what the last one left.
        """
        with self._speaking:
            if self._process.poll() is not None:
                self._start()
                for other in list(self._unsent):
                    self._say(do="open", key=other, spare=self._spare)
            self._free = 0.0 if renews else _FREE
            if renews:
                self._left = patience()
                self._warned = False
            self._unsent[key] = None
            self._say(do="open", key=key, spare=self._spare)

    def run_id(self, key: str) -> tuple[str, str]:
        """MLflow's ids of the run and its experiment; empty when the store gives none within its time."""
        self._wait(_START, lambda: self._ready)
        self._spend(min(_FIRST, self._left), lambda: key in self._runs or bool(self._trouble))
        if key not in self._runs and not self._trouble:
            self._in_trouble("it has not answered yet")
        found = self._runs.pop(key, {})
        return found.get("run_id", ""), found.get("experiment", "")

    def sent(self, key: str, *, within: float | None = None) -> bool:
        """Wait until MLflow knows the whole of the run `key`; False when it does not within its time."""
        return self._waited_for(lambda: key not in self._unsent, within)

    def all_sent(self, *, within: float | None = None) -> bool:
        """Wait until MLflow knows the whole of all runs that were opened; False when it does not within its time."""
        return self._waited_for(lambda: not self._unsent, within)

    @property
    def unsent(self) -> int:
        """How many of its runs MLflow does not know the whole of."""
        return len(self._unsent)

    @property
    def is_busy(self) -> bool:
        """Whether it is still sending, as far as is known here."""
        return bool(self._unsent) and not self._trouble and self._process.poll() is None

    def hurry(self) -> None:
        """From now on, let nobody wait for anything, nor those who do already."""
        with self._changed:
            self._hurried = True
            self._changed.notify_all()

    def close(self) -> None:
        """Let the process go; it ends by itself when it has sent what it can."""
        with contextlib.suppress(OSError):
            self._stdin.close()

    def _waited_for(self, sent: Callable[[], bool], within: float | None) -> bool:
        self._say(do="look")
        self._wait(_START, lambda: self._ready)
        seconds = self._left if within is None else min(within, self._left)
        self._spend(seconds, lambda: sent() or bool(self._trouble))
        refused, self._refused = self._refused, []
        for line in refused:
            self._warn(f"MLflow did not take {line}")
        return sent()

    def _start(self) -> None:
        command = [sys.executable, "-m", "p2p.tracking.sidecar", json.dumps(this_process().as_dict())]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, start_new_session=True, cwd=self._settings.root, env=_environment(),
        )  # fmt: skip
        assert self._process.stdin is not None
        self._stdin = self._process.stdin
        self._ready = False
        threading.Thread(target=self._listen, args=(self._process,), name="p2p-beside", daemon=True).start()
        self._say(do="warm")

    def _say(self, **command: Any) -> None:
        settings = {
            "root": str(self._settings.root), "tracking_uri": self._settings.tracking_uri,
            "experiment": self._settings.experiment,
        }  # fmt: skip
        # Where it died, its leases and journals are there, and the next one goes on.
        with self._speaking, contextlib.suppress(OSError):
            self._stdin.write(json.dumps({**command, "settings": settings}) + "\n")
            self._stdin.flush()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                with self._changed:
                    self._take(json.loads(line))
                    self._changed.notify_all()
        process.wait()
        with self._changed:
            self._ready = True  # nothing more will come: whoever waits goes on
            self._changed.notify_all()

    def _take(self, message: dict[str, Any]) -> None:
        if "ready" in message:
            self._ready = True
        if "run_id" in message:
            self._trouble = ""
            self._runs[message["key"]] = {"run_id": message["run_id"], "experiment": message["experiment"]}
        if "sent" in message:
            self._unsent.pop(message["sent"], None)
            self._runs.pop(message["sent"], None)
            self._refused += message.get("refused", [])
        if "trouble" in message:
            self._in_trouble(message["trouble"])

    def _in_trouble(self, trouble: str) -> None:
        if trouble and not self._warned:
            self._warned = True
            self._warn(
                f"MLflow's store takes nothing at present ({trouble}). The run goes on; its journal keeps everything, "
                "and the next run or `p2p doctor` sends it."
            )
        self._trouble = trouble

    def _spend(self, seconds: float, until: Callable[[], bool]) -> None:
        """Wait, out of what the store may add to the run."""
        began = time.monotonic()
        self._wait(seconds, until)
        self._left = max(0.0, self._left - max(0.0, time.monotonic() - began - self._free))

    def _wait(self, seconds: float, until: Callable[[], bool]) -> None:
        with self._changed:
            self._changed.wait_for(
                lambda: until() or self._hurried or self._process.poll() is not None, timeout=seconds
            )


def _environment() -> dict[str, str]:
    """This process's, without the run that a user's own MLflow calls in it would take up."""
    ours = ("MLFLOW_RUN_ID", "P2P_RUN", "P2P_ATTACH", "P2P_SECRETS")
    return {name: value for name, value in os.environ.items() if name not in ours}
