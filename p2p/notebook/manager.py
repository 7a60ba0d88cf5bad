"""papermill's record of an executing notebook, made truthful and safe.

papermill marks every cell "completed" when a kernel dies, and writes the whole notebook, not atomically, at each cell.
Here a cell is what it is, and the file is written whole or not at all, at most once in a few seconds and at the end.
What it holds is within its limit, and no secret is in it.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from papermill.engines import NotebookExecutionManager

from p2p.execution import EventSink
from p2p.files import write_atomic
from p2p.notebook.outputs import OutputGate, StreamJoiner, masked_notebook
from p2p.secrets import Masker
from p2p.settings import OUTPUT_LIMIT

_SAVE_EVERY = 5.0
_SAVING_SHARE = 0.1  # of the run's time, at most: a large notebook is saved less often


class TruthfulManager(NotebookExecutionManager):  # type: ignore[misc]  # papermill has no types
    """Keeps cell states true, tells the run's journal of them, and saves at a bounded cost.

    Args:
        nb: the notebook.
        path: where the executed notebook goes.
        events: the run's journal.
        masker: takes out secrets.
        output_limit: bytes of output that a cell may keep.
        progress_bar: show papermill's bar of cells; or what it is to be made with.
    """

    def __init__(
        self, nb: Any, path: Path, events: EventSink, *, masker: Masker | None = None,
        output_limit: int = OUTPUT_LIMIT, progress_bar: bool | dict[str, Any] = False, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(nb, progress_bar=progress_bar, autosave_cell_every=int(_SAVE_EVERY), **options)
        self.path = path
        self.events = events
        self.masker = masker or Masker()
        self.gate = OutputGate(self.masker, output_limit)
        self.joiner = StreamJoiner(self.masker)
        self.current: int | None = None
        self._code = [index for index, cell in enumerate(nb.cells) if cell.cell_type == "code" and not _injected(cell)]
        self._next_save = 0.0
        # papermill keeps what it was given as the path: here the whole notebook, its old outputs too.
        if isinstance(nb.metadata.papermill.get("input_path"), Mapping):
            nb.metadata.papermill["input_path"] = None

    def autosave_cell(self) -> None:
        """Papermill asks for this at each message."""
        self.save()

    def save(self, **kwargs: Any) -> None:
        """Write the notebook, unless that was done a moment ago."""
        if time.monotonic() >= self._next_save:
            self.write()

    def write(self) -> None:
        """Write the notebook now."""
        began = time.monotonic()
        self.joiner.settle()
        kept = nbformat.from_dict(masked_notebook(self.nb, self.masker)) if self.masker else self.nb  # type: ignore[no-untyped-call]  # it has no types
        text = nbformat.writes(kept) + "\n"  # type: ignore[no-untyped-call]  # it has no types
        # A lone surrogate, which no file may hold, is written as JSON's escape of it.
        write_atomic(self.path, text.encode("utf-8", "backslashreplace"))
        ended = time.monotonic()
        self._next_save = ended + max(_SAVE_EVERY, (ended - began) / _SAVING_SHARE)

    def cell_start(self, cell: Any, cell_index: int | None = None, **kwargs: Any) -> None:
        """A cell begins."""
        super().cell_start(cell, cell_index, **kwargs)
        self.current = cell_index
        if _runs(cell):
            self.events.append("cell_started", **self._facts(cell_index))

    def cell_complete(self, cell: Any, cell_index: int | None = None, **kwargs: Any) -> None:
        """A cell ended, one way or the other; papermill calls this also when the kernel died under it."""
        died = self.interrupted()
        if died:
            cell.metadata.papermill["exception"] = True
            cell.metadata.papermill["status"] = self.FAILED
        super().cell_complete(cell, cell_index, **kwargs)
        if _runs(cell):
            state, seconds = cell.metadata.papermill["status"], cell.metadata.papermill["duration"]
            self.events.append("cell_finished", state=state, seconds=seconds, **self._facts(cell_index))

    def interrupted(self) -> bool:
        """Whether an exception other than a cell's own is passing through (a dead kernel, a timeout, Ctrl-C)."""
        import sys

        from nbclient.exceptions import CellExecutionError

        error = sys.exc_info()[1]
        return error is not None and not isinstance(error, CellExecutionError)

    def notebook_complete(self, **kwargs: Any) -> None:
        """Write the notebook; cells that never ran keep saying so."""
        pending = [c for c in self.nb.cells if c.metadata.papermill["status"] == self.PENDING]
        super().notebook_complete(**kwargs)
        for cell in pending:
            cell.metadata.papermill["status"] = self.PENDING
        self.write()

    def not_run(self) -> list[int]:
        """Indices of the code cells that did not complete."""
        return [
            index
            for index, cell in enumerate(self.nb.cells)
            if _runs(cell) and cell.metadata.papermill["status"] != self.COMPLETED
        ]

    def _facts(self, index: int | None) -> dict[str, Any]:
        assert index is not None
        return cell_facts(self.nb.cells[index], bisect_right(self._code, index), len(self._code))


def cell_facts(cell: Any, number: int, count: int) -> dict[str, Any]:
    """How people name a cell: its number among the code cells (the injected one does not count), its id."""
    return {"cell": number, "cells": count, "cell_id": cell.get("id", "")}


def code_of(cells: Any) -> list[str]:
    """The text of the notebook's own code cells."""
    return [cell.source for cell in cells if cell.cell_type == "code" and not _injected(cell)]


def _injected(cell: Mapping[str, Any]) -> bool:
    return "injected-parameters" in cell["metadata"].get("tags", [])


def _runs(cell: Any) -> bool:
    return bool(cell.cell_type == "code" and cell.source.strip())
