"""A step cell whose result was known shows what it showed when it ran."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

from p2p.notebook.carried import carry_outputs
from p2p.tracking import Journal


def saved(path: Path, *texts: str) -> Path:
    """A notebook with a cell for each text, which its output shows; without an output for an empty one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cells: list[Any] = []
    for number, text in enumerate(texts):
        outputs = [nbformat.v4.new_output("stream", text=text)] if text else []  # type: ignore[no-untyped-call]  # none
        cells.append(nbformat.v4.new_code_cell(f"x{number}", id=f"cell-{number}", outputs=outputs))  # type: ignore[no-untyped-call]  # none
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)  # type: ignore[no-untyped-call]  # none
    return path


def recalled(directory: Path, cell: str, run: str, *, state: str = "cached", attributes: Any = None) -> None:
    journal = Journal(directory)
    journal.append("cell_started", cell_id=cell, cell=1, cells=2)
    journal.append("step_started", step="load", id=cell, attributes={"cell": 1} if attributes is None else attributes)
    journal.append("step_finished", step="load", id=cell, state=state, from_run=run)
    journal.close()


def shown(path: Path) -> list[list[str]]:
    return [["".join(o["text"]) for o in cell["outputs"]] for cell in json.loads(path.read_text())["cells"]]


@pytest.mark.parametrize("name", ["nb.ipynb", "notebook.ipynb"])
def test_the_outputs_of_the_run_that_did_the_work_are_shown(tmp_path: Path, name: str) -> None:
    saved(tmp_path / "run-1" / name, "first", "second")
    now = saved(tmp_path / "run-2" / "nb.ipynb", "", "own")
    recalled(tmp_path / "run-2", "cell-0", "run-1")
    recalled(tmp_path / "run-2", "cell-1", "run-1")
    carry_outputs(now, tmp_path, tmp_path / "run-2", "nb")
    assert shown(now) == [["first"], ["own"]]
    assert json.loads(now.read_text())["cells"][0]["metadata"]["p2p"] == {"outputs_of_run": "run-1"}


@pytest.mark.parametrize(
    "event", [{"state": "done"}, {"run": "gone"}, {"attributes": {"function": "f"}}, {"run": "../run-1"}]
)
def test_nothing_else_is_filled(tmp_path: Path, event: dict[str, Any]) -> None:
    saved(tmp_path / "run-1" / "nb.ipynb", "first")
    now = saved(tmp_path / "run-2" / "nb.ipynb", "")
    recalled(tmp_path / "run-2", "cell-0", event.pop("run", "run-1"), **event)
    carry_outputs(now, tmp_path, tmp_path / "run-2", "nb")
    assert shown(now) == [[]]
