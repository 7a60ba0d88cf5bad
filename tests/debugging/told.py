"""Runs as their journals tell them, written without running anything."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from p2p.settings import Settings
from p2p.store import DiskStore
from p2p.tracking import Journal
from p2p.tracking.journal import new_key

HOSTILE = "</pre><img src=x onerror=alert(1)>\n\n```\n~~~\n<script>alert(2)</script> $x$ [a](javascript:b)"


@dataclass(frozen=True)
class ToldStep:
    """A step of a run, and how it went; one that has no `end` was at work when the run ended."""

    name: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    function: str = ""
    end: bool = True
    parent: str = ""


def tell(settings: Settings, *steps: ToldStep, status: str = "", **facts: Any) -> str:
    """Write the journal of a run with these steps; gives its key. What failed last is what it failed by."""
    key = new_key()
    store = DiskStore(settings.values, inline=lambda _: True)
    journal = Journal(settings.runs / key)
    opened = {"run_kind": "notebook", "name": "sales", "source": "notebooks/sales.ipynb", "params": {}, "tags": {}}
    journal.append("run_opened", format=1, **{**opened, **facts})
    journal.append("mlflow_run", run_id=f"{len(list(settings.runs.iterdir())):08d}{key[-8:]}")
    for step in steps:
        _tell_step(journal, store, step)
    failed = next((step for step in reversed(steps) if step.error and not step.parent), None)
    end = status or ("FAILED" if failed else "FINISHED")
    named = {"failed_step": failed.name, "error": failed.error} if failed and end != "FINISHED" else {}
    journal.append("run_finished", status=end, **named)
    journal.close()
    return key


def _tell_step(journal: Journal, store: DiskStore, step: ToldStep) -> None:
    at, function = f"id of {step.name}", {"function": step.function} if step.function else {}
    inputs = {name: store.put(value).as_dict() for name, value in step.inputs.items()}
    journal.append("step_started", step=step.name, id=at, inputs=inputs, parent=step.parent, attributes=function)
    if not step.end:
        return
    kind, _, message = step.error.partition(": ")
    error = {"error_type": kind, "error": message, "traceback": f"Traceback:\n{step.error}"} if step.error else {}
    outputs = {name: store.put(value).as_dict() for name, value in step.outputs.items()}
    journal.append("step_finished", step=step.name, id=at, state="failed" if error else "done", seconds=0.1,
                   attempts=1, parent=step.parent, outputs=outputs, **error)  # fmt: skip


def read(path: Path) -> dict[str, Any]:
    """The document of a notebook."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def source(path: Path, cell: str) -> str:
    """The text of a cell, by its id; empty where there is none."""
    return next(("".join(c["source"]) for c in read(path)["cells"] if c["id"] == cell), "")


def ran(path: Path) -> dict[str, Any]:
    """What the names of a notebook are when its code cells have run, as in a kernel of their own."""
    names: dict[str, Any] = {"__name__": "__main__"}
    kept = list(sys.path)
    try:
        for cell in read(path)["cells"]:
            if cell["cell_type"] == "code":
                exec(compile("".join(cell["source"]), cell["id"], "exec"), names)  # the test's own code
    finally:
        sys.path[:] = kept
    return names


def mend(path: Path, old: str, new: str) -> None:
    """Edit the cell with the tag, as a person would."""
    found = read(path)
    cell = next(cell for cell in found["cells"] if "p2p-debug" in cell["metadata"].get("tags", ()))
    text = "".join(cell["source"])
    assert text.count(old) == 1, text
    cell["source"] = text.replace(old, new)
    path.write_text(json.dumps(found), encoding="utf-8")
