"""Imports that an edit of a `steps.py` has brought along, and the cells that need them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping

from p2p.drift.blocks import CellText, Edit
from p2p.export.units import Module, bindings, undressed
from p2p.notebook import Cell


def needed_imports(module: Module, name: str) -> dict[str, str]:
    """By name, the statements that import what a unit reads, where the module imports it at its top."""
    node = module.units[name].node
    code = undressed(node) if name in module.generated else node
    names = {n.id for n in ast.walk(code) if isinstance(n, ast.Name)}
    return {bound: text for bound, text in module.imports.items() if bound in names}


def import_edits(module: Module, homes: Mapping[str, CellText], cells: Iterable[Cell]) -> Iterator[Edit]:
    """For each edited unit: the imports that no cell down to its own has, to stand at the top of that one.

    Args:
        module: the edited module.
        homes: by name of an edited unit, its cell.
        cells: the notebook's.
    """
    known = [(cell.number, found) for cell in cells for found in _imports(cell)]
    for name, home in homes.items():
        there = {found for number, found in known if number <= home.cell.number}
        lines = [text for item in needed_imports(module, name).items() if item not in there for text in item[1:]]
        if lines:
            known += [(home.cell.number, item) for item in needed_imports(module, name).items()]
            start = home.blocks[0].start if home.blocks else len(home.lines)
            yield Edit(home.cell.number, start, start, tuple(lines))


def _imports(cell: Cell) -> Iterator[tuple[str, str]]:
    for block in CellText(cell).blocks:
        for node in block.nodes:
            yield from bindings(node)
