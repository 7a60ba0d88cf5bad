"""A notebook cut into pieces: step cells, calls of step functions, and the free statements between them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from p2p.analysis import (
    CellNames,
    Mark,
    StepCall,
    StepFunction,
    cell_names,
    magics,
    split_mark,
    step_calls,
    step_functions,
    step_outputs,
)
from p2p.errors import AnalysisError
from p2p.export.bodies import is_dropped, is_harmless, plain_source
from p2p.export.statements import DEFINITIONS, Statement, split_statements
from p2p.notebook import Cell, Notebook


@dataclass(frozen=True, eq=False)
class Piece:
    """A part of the notebook, in its place.

    Attributes:
        order: its place among all pieces.
        reads, writes: names; for a step, its inputs as read from the code and its outputs.
        mutates: names that it may change in place.
        late: the reads that happen only when a function it defines is called.
    """

    order: int
    cell: Cell
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    mutates: tuple[str, ...] = ()
    late: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class FreePiece(Piece):
    """A statement of an unmarked cell, or an import or definition of a step cell.

    Attributes:
        own: what a definition of a step cell reads at once, and the same cell gives above it.
    """

    statement: Statement = None  # type: ignore[assignment]  # always given; dataclass inheritance wants a default
    in_step: bool = False
    own: tuple[str, ...] = ()

    @property
    def gives(self) -> tuple[str, ...]:
        """The names that stand for something else after it."""
        return (*self.writes, *(n for n in self.mutates if n in self.reads))


@dataclass(frozen=True, eq=False)
class CellPiece(Piece):
    """A marked cell."""

    mark: Mark = None  # type: ignore[assignment]  # always given
    names: CellNames = None  # type: ignore[assignment]  # always given
    statements: tuple[Statement, ...] = ()


@dataclass(frozen=True, eq=False)
class CallPiece(Piece):
    """A call of a step function."""

    call: StepCall = None  # type: ignore[assignment]  # always given
    source: str = ""


@dataclass(frozen=True)
class Pieces:
    """The whole notebook: its pieces in order, and its step functions by name with their cells."""

    all: tuple[Piece, ...]
    functions: dict[str, tuple[StepFunction, Cell]]
    foreign: tuple[tuple[int, int, str], ...] = ()
    displays: bool = False

    def foreign_above(self, piece: Piece) -> list[tuple[int, int, str]]:
        """(cell, line, text) of IPython's own lines in unmarked cells above a piece, but for the harmless ones."""
        return [found for found in self.foreign if found[0] < piece.cell.number]

    def changing(self, orders: Collection[int], is_data: Callable[[str, int], bool]) -> Pieces:
        """The same, but the statements at these places may change in place whatever data they read."""
        return replace(self, all=tuple(
            replace(p, mutates=tuple(dict.fromkeys([*p.mutates, *(n for n in p.reads if is_data(n, p.order))])))
            if p.order in orders else p for p in self.all
        ))  # fmt: skip


def cut(notebook: Notebook, parameters: Collection[str] = (), *, displays: bool = False) -> Pieces:
    """Cut a notebook with these parameters into pieces; AnalysisError for code that has no meaning in a module."""
    cutter = _Cutter(displays)
    beside = notebook.parameters
    for cell in notebook.cells:
        try:
            cutter.take(cell, parameters if cell is beside else None)
        except AnalysisError as error:
            raise _in_cell(error, cell) from error
    return Pieces(tuple(cutter.pieces), cutter.functions, tuple(cutter.foreign), displays)


def _in_cell(error: AnalysisError, cell: Cell) -> AnalysisError:
    """The error, naming its cell where it does not yet."""
    if error.message.startswith("Cell "):
        return error
    return AnalysisError(f"Cell {cell.number}: {error.message}", cure=error.cure, fields=error.fields)


class _Cutter:
    def __init__(self, displays: bool) -> None:
        self.displays = displays
        self.pieces: list[Piece] = []
        self.given: set[str] = set()
        self.foreign: list[tuple[int, int, str]] = []
        self.functions: dict[str, tuple[StepFunction, Cell]] = {}
        self.lazy_annotations = False

    def take(self, cell: Cell, parameters: Collection[str] | None) -> None:
        mark, body = split_mark(cell.source)
        if parameters is not None:
            self.beside_parameters(cell, parameters)
        elif mark is not None:
            self.marked(cell, mark, body)
        else:
            self.unmarked(cell)

    def _split(self, source: str, cell: Cell) -> list[Statement]:
        """The statements of a cell. What one imports from `__future__` holds for all cells below it, as in IPython."""
        statements = split_statements(source, cell.number, lazy_annotations=self.lazy_annotations)
        self.lazy_annotations = self.lazy_annotations or any(s.makes_annotations_lazy for s in statements)
        return statements

    def _add(self, piece: Piece) -> None:
        self.pieces.append(piece)
        self.given.update(piece.writes)
        if isinstance(piece, CellPiece):
            self.given.update(piece.names.writes)

    def _reads(self, names: CellNames) -> tuple[str, ...]:
        """The reads, with those names of Python's own that something above has given another meaning."""
        return (*names.reads, *(n for n in names.builtin_reads if n in self.given and n not in names.reads))

    def beside_parameters(self, cell: Cell, parameters: Collection[str]) -> None:
        """What the parameters cell holds besides parameters: imports, definitions, values of no parameter's type."""
        statements = self._split(free_source(cell), cell)
        self._free(cell, (s for s in statements if not s.names.writes or not {*s.names.writes} <= {*parameters}))

    def marked(self, cell: Cell, mark: Mark, body: str) -> None:
        source = plain_source(body, cell.number)
        names = cell_names(source, lazy_annotations=self.lazy_annotations)
        _refuse_dynamic(names, cell)
        kept = [n for n in names.maybe_writes if n in self.given and n not in names.reads]
        statements = self._split(source, cell)
        self._free(cell, (s for s in statements if s.is_import or s.is_definition), step=names)
        outputs = mark.outputs if mark.outputs is not None else step_outputs(names)
        self._add(CellPiece(
            len(self.pieces), cell, (*self._reads(names), *kept), outputs, names.mutates, names.late_reads,
            mark=mark, names=names, statements=tuple(statements),
        ))  # fmt: skip

    def unmarked(self, cell: Cell) -> None:
        own = [(line, text) for line, text in magics(cell.source) if not is_harmless(text)]
        self.foreign += [(cell.number, line, text.strip()) for line, text in own]
        source = free_source(cell)
        for function in step_functions(source):
            self.functions[function.name] = (function, cell)
        calls = {c.lineno: c for c in step_calls(source, list(self.functions))}
        for statement in self._split(source, cell):
            if statement.is_definition and statement.names.writes[0] in self.functions:
                continue
            inside = [c for line, c in calls.items() if statement.line <= line <= (statement.node.end_lineno or line)]
            if inside:
                self._call(cell, statement, inside)
            else:
                self._free(cell, [statement])

    def _call(self, cell: Cell, statement: Statement, calls: Sequence[StepCall]) -> None:
        call = calls[0]
        if not call.simple or len(calls) > 1:
            raise AnalysisError(
                f"Cell {cell.number}, line {call.lineno}: step '{call.function}' is called "
                f"{call.why or 'with others'}, so its inputs and outputs have no names to wire it by.",
                cure=f"Write `result = {call.function}(name, ...)` as a statement, or mark the cell with %%step.",
            )
        reads = tuple(name for name in call.argument_names if name is not None)
        self._add(CallPiece(
            len(self.pieces), cell, reads, call.targets, call=call, source=statement.source
        ))  # fmt: skip

    def _free(self, cell: Cell, statements: Iterable[Statement], *, step: CellNames | None = None) -> None:
        for statement in statements:
            if not is_dropped(statement, displays=self.displays):
                names = statement.names
                given, mutates = (names.writes, names.mutates) if step is None else (_defined(statement), ())
                self._add(FreePiece(
                    len(self.pieces), cell, self._reads(names), given, mutates, names.late_reads,
                    statement=statement, in_step=step is not None, own=_own_reads(names, step) if step else (),
                ))  # fmt: skip


def _defined(statement: Statement) -> tuple[str, ...]:
    """What an import or a definition of a step cell gives by itself; what its functions change, the cell gives."""
    return (statement.node.name,) if isinstance(statement.node, DEFINITIONS) else statement.names.writes


def _own_reads(names: CellNames, step: CellNames) -> tuple[str, ...]:
    """What a statement of a step cell reads at once of what the cell itself gives above it."""
    early = [n for n in names.reads if n not in names.late_reads and n not in step.reads]
    return tuple(n for n in early if step.kinds.get(n) in ("value", "loop"))


def globals_of(piece: Piece) -> list[str]:
    """The names that functions of a piece declare `global`."""
    statements = piece.statements if isinstance(piece, CellPiece) else ()
    statements = (piece.statement,) if isinstance(piece, FreePiece) else statements
    may = (s for s in statements if "global" in s.source)
    found = (node for s in may for node in ast.walk(s.node) if isinstance(node, ast.Global))
    return [name for node in found for name in node.names]


def free_source(cell: Cell) -> str:
    """An unmarked cell's source, its magics taken off: what they did is not part of a pipeline."""
    return plain_source(cell.source, cell.number, strict=False)


def _refuse_dynamic(names: CellNames, cell: Cell) -> None:
    for line, what in names.dynamic:
        raise AnalysisError(
            f"Cell {cell.number}, line {line}: {what} hides which names the step reads and writes.",
            cure="Write the names out.",
        )
