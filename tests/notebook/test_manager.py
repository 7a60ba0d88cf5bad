from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from papermill.engines import papermill_engines  # first, because it loads the engine and so the manager

from p2p.notebook.manager import TruthfulManager, code_of
from tests.building import notebook
from tests.conftest import Events


@pytest.fixture
def manager(tmp_path: Path, events: Events) -> TruthfulManager:
    made = TruthfulManager(document("x = 1", "## A title", "y = 2", "", "z = 3"), tmp_path / "out.ipynb", events)
    made.notebook_start()
    return made


def test_papermill_knows_the_engine_by_its_name() -> None:
    assert papermill_engines.get_engine("p2p").__name__ == "P2PEngine"


def document(*cells: str) -> Any:
    """A notebook with the empty records that papermill puts into one when it loads it."""
    made: Any = nbformat.from_dict(notebook(*cells))  # type: ignore[no-untyped-call]  # it has no types
    for part in (made, *made.cells):
        part.metadata["papermill"] = nbformat.from_dict({})  # type: ignore[no-untyped-call]  # it has no types
    return made


def complete(manager: TruthfulManager, index: int) -> None:
    cell = manager.nb.cells[index]
    manager.cell_start(cell, index)
    manager.cell_complete(cell, cell_index=index)


def states(manager: TruthfulManager) -> list[str]:
    return [cell.metadata.papermill["status"] for cell in manager.nb.cells]


def test_cells_are_told_by_their_number_among_the_code_cells(manager: TruthfulManager, events: Events) -> None:
    for index in range(5):
        complete(manager, index)
    assert [(e["cell"], e["cells"], e["cell_id"]) for e in events.of("cell_started")] == [
        (1, 4, "cell-0"), (2, 4, "cell-2"), (4, 4, "cell-4")
    ]  # fmt: skip
    assert [e["state"] for e in events.of("cell_finished")] == ["completed"] * 3


def test_an_injected_cell_does_not_count(tmp_path: Path, events: Events) -> None:
    nb = document("k = 1", "k = 2", "x = k")
    nb.cells[1].metadata["tags"] = ["injected-parameters"]
    complete(TruthfulManager(nb, tmp_path / "out.ipynb", events), 2)
    assert [(e["cell"], e["cells"]) for e in events.of("cell_started")] == [(2, 2)]
    assert code_of(nb.cells) == ["k = 1", "x = k"]


def test_cells_that_never_ran_stay_pending_in_what_is_written(manager: TruthfulManager) -> None:
    complete(manager, 0)
    manager.notebook_complete()
    assert states(manager) == ["completed", "pending", "pending", "pending", "pending"]
    written = nbformat.read(manager.path, as_version=4)  # type: ignore[no-untyped-call]  # it has no types
    assert [cell.metadata.papermill["status"] for cell in written.cells] == states(manager)
    assert manager.not_run() == [2, 4]


@pytest.mark.parametrize("error", [RuntimeError("the kernel died"), KeyboardInterrupt()])
def test_a_cell_that_an_error_from_outside_stopped_did_not_complete(
    manager: TruthfulManager, events: Events, error: BaseException
) -> None:
    complete(manager, 0)
    try:
        raise error
    except BaseException:  # as the client's `finally` sees it
        complete(manager, 2)
    assert states(manager)[2] == "failed"
    assert events.last("cell_finished")["state"] == "failed"
    assert manager.not_run() == [2, 4]


def test_saving_at_each_cell_writes_only_now_and_then(manager: TruthfulManager) -> None:
    manager.write()
    before = manager.path.stat().st_mtime_ns
    for index in range(5):
        complete(manager, index)
        manager.save()
    assert manager.path.stat().st_mtime_ns == before


def test_the_notebook_does_not_hold_itself_as_its_input(tmp_path: Path, events: Events) -> None:
    nb = document("x = 1")
    nb.metadata.papermill["input_path"] = document("x = 1")
    assert TruthfulManager(nb, tmp_path / "out.ipynb", events).nb.metadata.papermill["input_path"] is None
