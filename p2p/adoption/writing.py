"""Marking the cells of a notebook as proposed."""

from __future__ import annotations

import re

from p2p.adoption.editing import marked
from p2p.adoption.proposal import Proposal
from p2p.errors import NotebookError
from p2p.files import write_atomic
from p2p.notebook import read_notebook

_LOADS = re.compile(r"^\s*%load_ext\s+p2p\b", re.MULTILINE)


def mark(proposal: Proposal) -> None:
    """Write the proposed marks into the notebook's file; every other byte stays as it is.

    Raises:
        NotebookError: the file has changed since it was read, or cannot be edited so. Nothing was changed.
        StoreError: the disk does not take it.
    """
    notebook = proposal.notebook
    if read_notebook(notebook.path).digest != notebook.digest:
        raise NotebookError(f"'{notebook.path}' has changed meanwhile.", cure="Run p2p adopt again.")
    path = notebook.path.resolve()
    text = path.read_bytes().decode("utf-8")
    marks = {step.cell.index: f"%%step {step.name}" for step in proposal.steps}
    parameters = proposal.parameters.index if proposal.parameters is not None else None
    loads = any(_LOADS.search(cell.source) for cell in notebook.cells)
    changed = marked(text, marks, parameters, "" if loads else "%load_ext p2p")
    write_atomic(path, changed.encode("utf-8"), mode=path.stat().st_mode & 0o777)
