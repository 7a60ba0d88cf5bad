"""Cells in a real kernel, through p2p's engine, without MLflow: what a row needs that ends its kernel."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill

from p2p.notebook.kernelplan import KernelPlan
from p2p.session import Attachment
from p2p.settings import Settings
from p2p.tracking.journal import Journal
from p2p.tracking.lease import take_lease
from tests.building import notebook


@dataclass(frozen=True)
class Executed:
    """How a run of cells ended.

    Attributes:
        error: the type and text of what papermill raised; empty when it did not.
        states: of the cells, as the written notebook tells them.
        complete: whether every cell ran and succeeded: what makes a run FINISHED.
        cells: as they were written.
    """

    error: str
    states: list[str]
    complete: bool
    cells: list[Any]


def execute(folder: Path, settings: Settings, *cells: str, cell_timeout: int) -> Executed:
    """Run the cells; the same calls as in `p2p.notebook.run`, with a journal that nobody sends on."""
    plan = _plan(folder, settings)
    error = ""
    try:
        papermill.execute_notebook(
            nbformat.from_dict(notebook(*cells)), None, engine_name="p2p", kernel_name="python3",  # type: ignore[no-untyped-call]  # it has no types
            language="python", progress_bar=False, execution_timeout=cell_timeout, plan=plan,
        )  # fmt: skip
    except Exception as raised:  # whatever it is, the row says which it must be
        evalue = getattr(raised, "evalue", "")
        error = f"{type(raised).__name__} {getattr(raised, 'ename', '')} {evalue}"
    written = nbformat.read(plan.path, as_version=4)  # type: ignore[no-untyped-call]  # it has no types
    states = [cell.metadata.papermill["status"] for cell in written.cells if "papermill" in cell.metadata]
    return Executed(error, states, not error and not plan.managers[-1].not_run(), written.cells)


def _plan(folder: Path, settings: Settings) -> KernelPlan:
    lease = settings.lease("hostile")
    take_lease(lease)
    journal = Journal(folder / "run")
    attachment = Attachment(
        directory=str(journal.directory), run_id="0" * 32, experiment="", tracking_uri=settings.tracking_uri,
        root=str(settings.root), lease=str(lease), notebook=str(folder / "none.ipynb"),
    )  # fmt: skip
    environment = {**os.environ, **attachment.environment({})}
    return KernelPlan(folder / "executed.ipynb", environment, folder, journal, [], output_limit=settings.output_limit)
