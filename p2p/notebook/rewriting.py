"""Changing cells of a notebook's file, whichever format it is in, and of the files that it is paired with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from p2p.errors import NotebookError
from p2p.files import write_atomic
from p2p.notebook.document import Notebook, read_notebook
from p2p.notebook.pairs import partners
from p2p.notebook.texts import is_text, rewrite_text


class Change(Protocol):
    """What is to be done to some code cells; `places` tells, by a cell's number, its index among all cells."""

    def in_json(self, text: str, places: Mapping[int, int]) -> str:
        """The text of an `.ipynb` with the change, and every other byte as it was."""
        ...

    def in_cells(self, cells: list[Any], places: Mapping[int, int]) -> None:
        """Do it to the cells as nbformat's nodes."""
        ...


def rewrite(notebook: Notebook, change: Change, command: str) -> None:
    """Make the change in the notebook's file and its partners'; all else in them stays as it is.

    Args:
        notebook: as it was read.
        change: what to do.
        command: the command that does it, for the cure where the file has changed since.

    Raises:
        NotebookError: one of the files has changed since, or cannot be edited so. Nothing was changed.
        StoreError: the disk does not take it.
    """
    now = read_notebook(notebook.path)  # prose may have come since, so cells may have moved
    if now.digest != notebook.digest:
        raise NotebookError(f"'{notebook.path}' has changed meanwhile.", cure=f"Run p2p {command} again.")
    files = [now, *partners(now)]
    changed = [(file.path.resolve(), _changed(file, change)) for file in files]
    for path, text in sorted(changed, key=_texts_last):
        write_atomic(path, text.encode("utf-8"), mode=path.stat().st_mode & 0o777)


def _changed(notebook: Notebook, change: Change) -> str:
    text = notebook.path.read_bytes().decode("utf-8")
    places = {cell.number: cell.index for cell in notebook.cells}
    if is_text(notebook.path):
        return rewrite_text(notebook.path, text, lambda cells: change.in_cells(cells, places))
    return change.in_json(text, places)


def _texts_last(file: tuple[Path, str]) -> bool:
    """JupyterLab takes the code from the text, and refuses a pair whose text is the older file."""
    return is_text(file[0])
