"""Which statements of a notebook a unit of its module came from, and the edits of cells that follow from one of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from p2p.analysis import step_functions
from p2p.drift.blocks import CellText, Edit
from p2p.drift.bodies import Place, cannot, find_places, function_of, function_parts, part_edits
from p2p.drift.definitions import unit_edits
from p2p.drift.regenerating import Regenerated
from p2p.errors import AnalysisError
from p2p.export.pieces import free_source
from p2p.export.plan import PlannedStep
from p2p.export.statements import Statement
from p2p.export.units import Module, final_return


class Origins:
    """Finds where in a notebook the units of its module come from."""

    def __init__(self, now: Regenerated) -> None:
        self._now = now
        self._cells = {cell.number: CellText(cell) for cell in now.notebook.cells}
        self._steps = {step.function: step for step in reversed(now.plan.steps)}
        # `steps.py` begins with these, a unit each
        self._free = dict(zip(now.module.units, (*now.plan.setup, *now.plan.helpers), strict=False))

    def cell_of(self, name: str) -> CellText:
        """The cell that a unit comes from; EvidenceRefused where there is none."""
        step = self._steps.get(name)
        return self._cells[step.cell] if step else self._place(name).text

    def edits(self, new: Module, name: str) -> Iterator[Edit]:
        """The edits of cells that bring the unit `name` of `new` into the notebook.

        Raises:
            EvidenceRefused: they would not be those of a statement of one cell.
        """
        if name in self._now.module.generated:
            yield from self._of_a_cell(new, name, self._steps[name])
        else:
            yield from unit_edits(self._now.module, new, name, self._place(name))

    def _of_a_cell(self, new: Module, name: str, step: PlannedStep) -> Iterator[Edit]:
        _check_ending(self._now.module, new, name)
        home = self._cells[step.cell]
        old = function_parts(self._now.module, name)
        helpers = [self._at(statement) for statement in step.local]
        own = find_places(home, old[len(helpers) :], home.blocks)
        yield from part_edits(old, function_parts(new, name), [*helpers, *own], home)

    def _place(self, name: str) -> Place:
        """Where a unit stands that the notebook has as the module has it."""
        if name in self._free:
            return self._at(self._free[name])
        found = list(self._step_definitions(name))
        if not found:
            raise cannot("it came from no cell.", "Make it a function or a constant of the notebook.")
        return found[-1]

    def _at(self, statement: Statement) -> Place:
        text = self._cells[statement.cell]
        return Place(text, next(b for b in text.blocks if b.start < statement.line <= b.end))

    def _step_definitions(self, name: str) -> Iterator[Place]:
        for text in self._cells.values():
            if _defines_step(text, name):
                yield from (Place(text, b) for b in text.blocks if getattr(b.nodes[0], "name", "") == name)


def _defines_step(text: CellText, name: str) -> bool:
    try:
        return any(function.name == name for function in step_functions(free_source(text.cell)))
    except AnalysisError:
        return False


def _check_ending(old: Module, new: Module, name: str) -> None:
    """Refuse what only a function can say: where it returns."""
    before, after = function_of(old, name), function_of(new, name)
    if bool(final_return(before)) != bool(final_return(after)):
        raise cannot("its last `return` was added or taken out.", "Give or drop the output in the notebook.")
    if any(_returns(part.node) for part in function_parts(new, name)):
        raise cannot("it returns before its end, which a cell cannot.", "Write it with `if` and `else`.")


def _returns(node: ast.AST) -> bool:
    """Whether a statement of a function may end that function."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
        return False
    return isinstance(node, ast.Return) or any(map(_returns, ast.iter_child_nodes(node)))
