"""A process beside the kernel that runs a notebook, and tells each event as a line of JSON.

`python -m p2p.widgets.child`, with `{"notebook": ..., "text": {name: text}}` on stdin: a secret never stands on a
command line. In a process of its own, a run changes nothing in the kernel, and may be ended by itself.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from p2p.debugging import way_in
from p2p.errors import P2PError
from p2p.notebook import run_notebook
from p2p.progress import Progress
from p2p.settings import load_settings

_TOLD = ("step_started", "step_finished", "step_retried", "mlflow_run", "cell_started", "step_progress")
_FACTS = ("kind", "step", "state", "seconds", "attempts", "parent", "error_type", "error", "run_id", "cell", "cells")


def main() -> None:
    """Run it; the last line says how it ended."""
    asked = json.load(sys.stdin)
    path = Path(asked["notebook"])
    try:
        settings = load_settings(path.parent)
        done = run_notebook(path, settings, text=asked["text"], watch=_tell)
    except P2PError as refused:
        _say(kind="refused", what=str(refused))
        return
    _say(kind="ended", status=done.status.value, run_id=done.run_id, key=done.key, failed_step=done.failed_step,
         error=done.error[:1000], seconds=done.seconds,
         way_in=way_in(done.key, settings, step=done.failed_step) if done.failed_step else "")  # fmt: skip


def _tell(event: Mapping[str, Any]) -> None:
    if event["kind"] in _TOLD:
        progress = Progress.from_dict(event) if event["kind"] == "step_progress" else None
        line = {"line": f"{progress.short()} · {progress.line()}"} if progress is not None else {}
        _say(**{name: event[name] for name in _FACTS if name in event}, **line)


def _say(**message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
