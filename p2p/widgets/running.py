"""The run that was begun from the panel: in a process beside the kernel, followed line by line."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from p2p.errors import InputRefused
from p2p.tracking import guard

_ENDS = ("ended", "refused")


class Push(Protocol):
    """Tells the page."""

    def __call__(self, what: str, **data: Any) -> None: ...


class Running:
    """At most one run at a time.

    Args:
        push: is told `run` with each event: `kind` is `began`, that of the event, `refused` or `ended`.
    """

    def __init__(self, push: Push) -> None:
        self._push = push
        self._at_work: subprocess.Popen[str] | None = None

    def start(self, notebook: Path, text: Mapping[str, str]) -> None:
        """Begin one.

        Raises:
            InputRefused: one is at work.
        """
        if self._at_work is not None:
            raise InputRefused("A run of this panel is at work.", cure="Wait for its end, or stop it.")
        process = self._at_work = subprocess.Popen(
            [sys.executable, "-m", "p2p.widgets.child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, errors="replace", cwd=notebook.parent, env=guard.outside(),
            start_new_session=True,
        )  # fmt: skip
        assert process.stdin is not None
        with process.stdin:
            process.stdin.write(json.dumps({"notebook": str(notebook), "text": dict(text)}))
        self._push("run", kind="began")
        threading.Thread(target=self._follow, args=(process,), name="p2p-panel-run", daemon=True).start()

    def stop(self) -> dict[str, Any]:
        """Interrupt it, as Ctrl-C does: it ends its run as KILLED."""
        process = self._at_work
        if process is None:
            return {"stopped": False}
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        return {"stopped": True}

    def _follow(self, process: subprocess.Popen[str]) -> None:
        """Pass on what it says; it has ended when it says so, or when it is gone."""
        assert process.stdout is not None
        assert process.stderr is not None
        said: list[str] = []
        reader = threading.Thread(target=said.extend, args=(process.stderr,), daemon=True)
        reader.start()
        told = False
        with process.stdout, process.stderr:
            for line in process.stdout:
                with contextlib.suppress(ValueError):
                    event = json.loads(line)
                    told = told or event["kind"] in _ENDS
                    self._pass_on(process, event)
            process.wait()
            reader.join()
        if not told:
            self._pass_on(process, {"kind": "ended", "status": "KILLED", "error": "".join(said)[-1000:]})

    def _pass_on(self, process: subprocess.Popen[str], event: Mapping[str, Any]) -> None:
        if event["kind"] in _ENDS and self._at_work is process:
            self._at_work = None
        self._push("run", **event)
