"""A notebook as p2p sees it: its code cells in order, read without starting anything."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blake3 import blake3

from p2p.notebook.loading import load_notebook
from p2p.params import ParameterSet, read_parameters

PARAMETERS = "parameters"
INJECTED = "injected-parameters"


@dataclass(frozen=True, slots=True)
class Cell:
    """One code cell.

    Attributes:
        index: its place among all cells, from 0.
        number: its place among the code cells, from 1: what people count.
        id: nbformat's cell id; empty in notebooks that are too old to have one.
        heading: the last markdown heading above it.
    """

    index: int
    number: int
    id: str
    source: str
    tags: tuple[str, ...]
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Notebook:
    """The code of a notebook.

    Attributes:
        digest: BLAKE3 of its code cells and of which of them holds the parameters; output and prose do not count.
    """

    path: Path
    cells: tuple[Cell, ...]
    digest: str

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def parameters(self) -> Cell | None:
        """The cell tagged `parameters`."""
        return next((c for c in self.cells if PARAMETERS in c.tags), None)


def read_notebook(path: Path) -> Notebook:
    """Read the notebook at `path`. Raises NotebookError naming what is wrong with it."""
    document = load_notebook(path)
    cells = tuple(_code_cells(document["cells"]))
    return Notebook(path, cells, _digest(cells))


def parameters_of(notebook: Notebook) -> ParameterSet:
    """The checked parameters of a notebook; an empty set when no cell is tagged `parameters`."""
    cell = notebook.parameters
    imports = [c.source for c in notebook.cells]
    return read_parameters(cell.source if cell else "", imports)


def _code_cells(raw: Sequence[dict[str, Any]]) -> list[Cell]:
    cells: list[Cell] = []
    heading = ""
    for index, cell in enumerate(raw):
        source = cell.get("source", "")
        text = "".join(source) if isinstance(source, list) else str(source)
        if cell.get("cell_type") == "markdown":
            heading = _heading(text) or heading
        tags = tuple(cell.get("metadata", {}).get("tags", ()))
        # A cell that papermill injected in an earlier run is a record of that run, not code of the notebook.
        if cell.get("cell_type") == "code" and INJECTED not in tags:
            cells.append(Cell(index, len(cells) + 1, str(cell.get("id", "")), text, tags, heading))
    return cells


def _heading(markdown: str) -> str:
    lines = [line.lstrip("#").strip() for line in markdown.splitlines() if line.startswith("#")]
    return lines[-1] if lines else ""


def _digest(cells: Sequence[Cell]) -> str:
    facts = [[c.source, PARAMETERS in c.tags] for c in cells]
    return str(blake3(json.dumps(facts).encode("utf-8", "surrogatepass")).hexdigest())
