"""What a step's code uses that is no input of it: found in the cells above, statement by statement."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from p2p.analysis import StepFunction, is_step_mark, split_mark, step_functions
from p2p.debugging.scene import RUN, assignable
from p2p.errors import P2PError
from p2p.export.statements import Statement, split_statements
from p2p.model import StepRecord
from p2p.notebook import Cell
from p2p.notebook.document import PARAMETERS


class Above:
    """Walks up from a step, and takes what it needs.

    Args:
        steps: those of the run that began before this one: what they gave is loaded, and not made again.
        params: names of the run's parameters.

    Attributes:
        loads: by name, the expression that loads it.
        definitions: the statements that are needed, in their order.
        unmet: names that nothing above gives.
    """

    def __init__(self, steps: Sequence[StepRecord], params: Collection[str]) -> None:
        self._given = {name: step.name for step in steps for name, ref in step.outputs.items() if ref.codec}
        self._params = params
        self._functions: set[str] = set()
        self.loads: dict[str, str] = {}
        self.definitions: list[str] = []
        self.unmet: set[str] = set()

    def walk(self, cells: Sequence[Cell], needed: Collection[str], own: Collection[str]) -> None:
        """Take what these names need from the cells, of which the last may call the step.

        Args:
            cells: those above the step, and the one that calls it.
            needed: names that its code reads and that are no inputs.
            own: names that are there in any case.
        """
        self._functions = {found.name for cell in cells for found in _step_functions(cell)}
        open_names = {*needed} - {*own}
        taken: list[str] = []
        for cell in reversed(cells):
            for statement in reversed(_statements(cell)):
                if statement.is_future or self._takes(statement, cell, open_names):
                    taken.append(_plain(statement))
                    open_names -= {*statement.names.writes}
                    open_names |= {*statement.names.reads} - {*own} - self.loads.keys()
            self._load_outputs(cell, open_names)
        self._load(open_names & {*self._params}, "params")
        self.definitions = taken[::-1]
        self.unmet = open_names - self.loads.keys()

    def _takes(self, statement: Statement, cell: Cell, open_names: set[str]) -> bool:
        names = statement.names
        wanted = open_names & {*names.writes, *names.mutates}
        if PARAMETERS in cell.tags:  # the run may have been given others
            self._load(wanted & {*self._params}, "params")
            open_names -= self.loads.keys()
            wanted -= self.loads.keys()
        elif self._functions & {*names.reads} and not statement.is_definition:  # it calls a step
            self._load(wanted & self._given.keys(), "steps")
            open_names -= self.loads.keys()
            wanted -= self.loads.keys()
        if is_step_mark(cell.source):
            return bool(wanted) and (statement.is_helper or statement.is_import)
        return bool(wanted) or _is_star(statement)

    def _load_outputs(self, cell: Cell, open_names: set[str]) -> None:
        """What a marked cell gave is in the store."""
        if is_step_mark(cell.source):
            mark, _ = split_mark(cell.source)
            given = {name for name, step in self._given.items() if mark is not None and step == mark.name}
            self._load(open_names & given, "steps")
            open_names -= self.loads.keys()

    def _load(self, names: Collection[str], where: str) -> None:
        for name in sorted(filter(assignable, names)):
            self.loads[name] = (
                f"{RUN}.params[{name!r}]" if where == "params" else f"{RUN}[{self._given[name]!r}][{name!r}]"
            )


def needed_functions(statements: Sequence[Statement], needed: Collection[str]) -> Iterator[str]:
    """The names, of functions and others, that these names need in turn."""
    reads: Mapping[str, Collection[str]] = {name: s.names.reads for s in statements for name in s.names.writes}
    waiting, seen = [*needed], {*needed}
    while waiting:
        name = waiting.pop()
        yield name
        more = {*reads.get(name, ())} - seen
        seen |= more
        waiting += sorted(more)


def _statements(cell: Cell) -> list[Statement]:
    try:
        source = split_mark(cell.source)[1]
        return split_statements(source, cell.number)
    except P2PError:  # a cell that cannot be read gave nothing
        return []


def _step_functions(cell: Cell) -> Sequence[StepFunction]:
    try:
        return step_functions(cell.source)
    except P2PError:
        return ()


def _plain(statement: Statement) -> str:
    """A statement's text; a step's function without its decorator, so that calling it is no step of a new run."""
    found = step_functions(statement.source) if statement.is_definition else ()
    return found[0].source if found else statement.source


def _is_star(statement: Statement) -> bool:
    return statement.is_import and any(alias.name == "*" for alias in getattr(statement.node, "names", ()))
