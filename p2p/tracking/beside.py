"""The kernel's end of the pipe to its sidecar."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from p2p.errors import P2PError
from p2p.settings import Settings


class Sidecar:
    """Starts a driver process beside this one and speaks to it.

    The process is started at once, so that it has imported MLflow by the time a run opens.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = {
            "root": str(settings.root), "tracking_uri": settings.tracking_uri, "experiment": settings.experiment,
        }  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-m", "p2p.tracking.sidecar"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, start_new_session=True, cwd=settings.root,
        )  # fmt: skip
        self._say(do="warm", settings=self._settings)

    def open(self, directory: Path, facts: dict[str, Any]) -> dict[str, str]:
        """Open a run whose journal is in `directory`; gives its `run_id` and `experiment`."""
        self._say(do="open", settings=self._settings, directory=str(directory), facts=facts)
        answer = self._listen()
        if "error" in answer:
            raise P2PError(
                f"MLflow's store could not be used, so this run is not tracked there: {answer['error']}",
                cure="Its journal is kept. Check MLFLOW_TRACKING_URI.",
            )
        return answer

    def end(self, status: str, **facts: Any) -> None:
        """End the open run and wait until MLflow knows; when the process has died, there is nobody to tell."""
        with contextlib.suppress(BrokenPipeError):
            self._say(do="end", status=status, facts=facts)
            self._listen()

    def close(self) -> None:
        """Let the process go."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process.wait()

    def _say(self, **command: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()

    def _listen(self) -> dict[str, str]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        answer: dict[str, str] = json.loads(line) if line else {"error": "the tracking process died"}
        return answer
