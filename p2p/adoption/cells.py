"""One cell of a notebook, tagged or marked as its author says."""

from __future__ import annotations

import re

from p2p.adoption.writing import LOADS, Marking
from p2p.analysis import is_step_mark, parse_mark, split_mark, step_functions
from p2p.errors import AnalysisError, NotebookError
from p2p.notebook import Cell, Notebook
from p2p.notebook.document import INJECTED, PARAMETERS
from p2p.notebook.rewriting import rewrite

_TAG = re.compile(r"[^\s,]+")
_MAGIC = re.compile(r"\s*(%%\S+)")


def tag_cell(notebook: Notebook, number: int, tag: str, *, remove: bool = False) -> bool:
    """Add a tag to the code cell of this number, or take it away; gives whether the file has changed.

    Raises:
        NotebookError: there is no such cell, or it cannot have this tag; nothing was changed.
    """
    cell = _cell(notebook, number)
    if remove == (tag not in cell.tags):
        return False
    if remove:
        change = Marking(without={number: tag})
    else:
        _check_tag(notebook, cell, tag)
        change = Marking(tags={number: tag})
    rewrite(notebook, change, "tag")
    return True


def mark_cell(notebook: Notebook, number: int, name: str) -> None:
    """Make the code cell of this number the step of this name.

    Raises:
        AnalysisError: the name is none that a step can have.
        NotebookError: there is no such cell, it cannot be this step, or the name is taken; nothing was changed.
    """
    cell = _cell(notebook, number)
    _check_name(notebook, name)
    if problem := _no_step(cell):
        raise NotebookError(f"Cell {number} of '{notebook.path}' cannot be marked: it {problem}.")
    rewrite(notebook, Marking({number: f"%%step {name}"}), "mark")


def _cell(notebook: Notebook, number: int) -> Cell:
    if 1 <= number <= len(notebook.cells):
        return notebook.cells[number - 1]
    raise NotebookError(
        f"'{notebook.path}' has no code cell {number}.",
        cure=f"Its code cells are counted from 1 to {len(notebook.cells)}; other cells do not count.",
    )


def _check_tag(notebook: Notebook, cell: Cell, tag: str) -> None:
    if not _TAG.fullmatch(tag):
        raise NotebookError(f"{tag!r:.80} is no tag.", cure="Give one word without commas.")
    if tag == INJECTED:
        raise NotebookError(f"The tag '{INJECTED}' is for cells that papermill writes.", cure="Give another tag.")
    if tag != PARAMETERS:
        return
    if notebook.parameters is not None:
        raise NotebookError(
            f"'{notebook.path}' has its parameters in cell {notebook.parameters.number}.",
            cure=f"Take the tag away there first: p2p tag {notebook.path} {notebook.parameters.number} {tag} --remove",
        )
    if is_step_mark(cell.source):
        raise NotebookError(f"Cell {cell.number} is a step, and cannot be the parameters.", cure="Tag another cell.")


def _check_name(notebook: Notebook, name: str) -> None:
    if parse_mark(name).name != name:
        raise NotebookError(f"{name!r:.80} is no step's name alone.", cure="Give the name; edit its mark for the rest.")
    taken = next((cell.number for cell in notebook.cells if name in _step_names(cell)), None)
    if taken is not None:
        raise NotebookError(f"The step '{name}' is there already, in cell {taken}.", cure="Give another name.")


def _step_names(cell: Cell) -> list[str]:
    """The steps that a cell is or defines; none where it cannot be understood."""
    try:
        mark, _ = split_mark(cell.source)
        return [mark.name] if mark is not None else [function.name for function in step_functions(cell.source)]
    except AnalysisError:
        return []


def _no_step(cell: Cell) -> str:
    """Why the cell cannot be marked; empty where it can."""
    if PARAMETERS in cell.tags:
        return "holds the parameters"
    if is_step_mark(cell.source):
        return "has a mark already"
    if _step_names(cell):
        return "defines steps with @step"
    if magic := _MAGIC.match(cell.source):
        return f"begins with {magic[1]}, and a cell has one magic"
    return "loads p2p, before which there is no %%step" if LOADS.search(cell.source) else ""
