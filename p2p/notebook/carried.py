"""Outputs of step cells whose result was known: shown as the run showed them that did the work."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from p2p.files import write_atomic
from p2p.notebook.nodes import nbformat
from p2p.tracking import read_events


def carry_outputs(executed: Path, runs: Path, directory: Path, name: str) -> None:
    """Put into an executed notebook what its recalled step cells showed when they ran.

    Args:
        executed: the executed notebook; changed in place when a cell is filled.
        runs: the folder of all runs.
        directory: the run's directory.
        name: the notebook's name.
    """
    sources = recalled_cells(read_events(directory))
    if not sources:
        return
    document = nbformat().read(executed, as_version=4)
    cells = {cell.get("id"): cell for cell in document.cells}
    changed = [_fill(cells.get(cell_id), cell_id, _notebook_of(runs / run, name), run) for cell_id, run in sources]
    if any(changed):
        write_atomic(executed, nbformat().writes(document) + "\n")


def recalled_cells(events: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Of each step cell whose result was known: its cell id, and the key of the run that did the work."""
    found: list[tuple[str, str]] = []
    cell = ""
    marked: set[str] = set()
    for event in events:
        if event["kind"] == "cell_started":
            cell = str(event.get("cell_id", ""))
        elif event["kind"] == "step_started" and "cell" in event.get("attributes", {}):
            marked.add(event["id"])
        elif event["kind"] == "step_finished" and event["state"] == "cached" and event["id"] in marked and cell:
            found.append((cell, str(event.get("from_run", ""))))
    return found


def _fill(cell: Any, cell_id: str, source: Mapping[str, Any], run: str) -> bool:
    """Whether the cell was empty and the other run's has outputs."""
    earlier = next((c for c in source.get("cells", ()) if c.get("id") == cell_id), None)
    if cell is None or cell.outputs or not earlier or not earlier.get("outputs"):
        return False
    cell.outputs = [nbformat().from_dict(output) for output in earlier["outputs"]]
    cell.metadata["p2p"] = {"outputs_of_run": run}
    return True


def _notebook_of(directory: Path, name: str) -> Mapping[str, Any]:
    """The executed notebook of another run, as far as it was saved."""
    for path in (directory / f"{name}.ipynb", directory / "notebook.ipynb"):
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        return found if isinstance(found, dict) else {}
    return {}
