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
        self._process: subprocess.Popen[str] | None = None

    def start(self, notebook: Path, text: Mapping[str, str]) -> None:
        """Begin one.

        Raises:
            InputRefused: one is at work.
        """
        if self._process is not None and self._process.poll() is None:
            raise InputRefused("A run of this panel is at work.", cure="Wait for its end, or stop it.")
        process = self._process = subprocess.Popen(
            [sys.executable, "-m", "p2p.widgets.child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, errors="replace", cwd=notebook.parent, start_new_session=True,
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(json.dumps({"notebook": str(notebook), "text": dict(text)}))
        process.stdin.close()
        self._push("run", kind="began")
        threading.Thread(target=self._follow, args=(process,), name="p2p-panel-run", daemon=True).start()

    def stop(self) -> dict[str, Any]:
        """Interrupt it, as Ctrl-C does: it ends its run as KILLED."""
        process = self._process
        if process is None or process.poll() is not None:
            return {"stopped": False}
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        return {"stopped": True}

    def _follow(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        said: list[str] = []
        reader = threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True)
        reader.start()
        ended = False
        with process.stdout:
            for line in process.stdout:
                with contextlib.suppress(ValueError):
                    event = json.loads(line)
                    ended = ended or event["kind"] in ("ended", "refused")
                    self._push("run", **event)
        process.wait()
        reader.join(5)
        if not ended:
            self._push("run", kind="ended", status="KILLED", error="".join(said)[-1000:])
