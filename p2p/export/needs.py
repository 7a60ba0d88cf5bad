"""What the steps of a notebook need of its unmarked cells, found by following names upwards.

A free statement is needed when a step reads what it gives, when a needed statement does, or when it sets something up
by side effect (a seed, an option). A needed statement belongs

- at the module's top, when it depends on no data;
- into the step that uses it, when it is a helper that reads data, or a second meaning of a name at the top;
- into an implicit step, when it computes with data.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Collection, Sequence
from functools import cached_property

from p2p.analysis import StepFunction, cell_names
from p2p.errors import AnalysisError
from p2p.export.bodies import is_setting
from p2p.export.index import Index
from p2p.export.pieces import CallPiece, CellPiece, FreePiece, Piece, Pieces
from p2p.export.unknown import refuse_hidden, refuse_unknown, step_word
from p2p.policy import Named

_BUILTINS = frozenset(dir(builtins)) | {"__name__", "__file__"}


class Needs:
    """Answers what each step needs; made by `find_needs`."""

    def __init__(self, pieces: Pieces, parameters: frozenset[str]) -> None:
        self.pieces = pieces
        self.parameters = parameters
        self.wanted: set[str] = set()
        self._needed: dict[int, FreePiece] = {}
        self._setup: set[int] = set()
        self._users: dict[int, set[int]] = {}
        self._functions: set[str] = set()
        self._kinds: dict[int, str] = {}
        self._kept: set[int] = set()
        self._index = Index(pieces)
        self._used_by: dict[int, list[int]] = {}
        self._claims: dict[str, int] = {}

    # -- resolving names ---------------------------------------------------------------------------------------------

    def writer(self, name: str, before: int) -> Piece | None:
        """The piece above `before` that last gave `name` its meaning; None for a parameter or a name of Python's."""
        return self._index.writer(name, before)

    def _meanings(self, name: str, before: int) -> tuple[Piece | None, list[FreePiece]]:
        """The piece that gives the name its meaning on every way, and those below it that give it one on some."""
        maybe: list[FreePiece] = []
        writer = self.writer(name, before)
        while isinstance(writer, FreePiece) and name in writer.statement.names.maybe_writes:
            above = self.writer(name, writer.order)
            if above is None and name not in self.parameters:
                break
            maybe.append(writer)
            writer = above
        return writer, maybe

    def is_data(self, name: str, before: int) -> bool:
        """Whether a name stands for data there: a parameter, a step's value, or something computed from one."""
        piece = self.writer(name, before)
        if piece is None:
            return name in self.parameters
        return not isinstance(piece, FreePiece) or self.kind(piece) == "data"

    def kind(self, piece: FreePiece) -> str:
        """`module`, `local` (a helper that reads data when it is called) or `data`."""
        if piece.order in self._kept:
            return "data"  # what it does belongs to its place among the steps
        if piece.order not in self._kinds:
            self._kinds[piece.order] = "module"  # what a helper that calls itself sees
            self._kinds[piece.order] = self._find_kind(piece)
        return self._kinds[piece.order]

    def _find_kind(self, piece: FreePiece) -> str:
        end = len(self.pieces.all)
        if piece.own:
            return "local"
        early = [n for n in piece.reads if n not in piece.late]
        if any(self.is_data(n, piece.order) for n in early):
            return "data"
        if any(self._late_kind(n, end) != "module" for n in piece.late):
            return "local" if piece.statement.is_helper else "data"
        early_writers = [self.writer(n, piece.order) for n in early]
        locals_read = any(isinstance(w, FreePiece) and self.kind(w) == "local" for w in early_writers)
        return "local" if locals_read else "module"

    def _late_kind(self, name: str, before: int) -> str:
        piece, _maybe = self._meanings(name, before)
        if isinstance(piece, FreePiece):
            return self.kind(piece)
        return "data" if piece is not None or name in self.parameters else "module"

    # -- following needs ---------------------------------------------------------------------------------------------

    def follow(self, piece: Piece, names: Sequence[str], before: int, *, late: Collection[str] = ()) -> None:
        """Mark what `names` stand for at `before`, and what that needs in turn, as needed by `piece`.

        That nothing gives a name of `late`, which only a function reads when it is called, is no error: the notebook
        runs, so nothing calls it before the name is there.
        """
        for name in names:
            self.wanted.add(name)
            writer, maybe = self._meanings(name, before)
            for other in maybe:
                self._use(other, piece)
            if name in self.pieces.functions and not isinstance(writer, CallPiece | CellPiece):
                self._use_function(name, piece)
            elif isinstance(writer, FreePiece):
                self._use(writer, piece)
            elif writer is None and self._is_unknown(name, piece):
                refuse_hidden(name, piece, before, self.pieces)
                if name not in late:
                    refuse_unknown(name, piece, before, self.pieces, self.parameters)

    def _is_unknown(self, name: str, piece: Piece) -> bool:
        """Whether a read must fail: a read that the cell may satisfy by itself, on some way through it, need not."""
        maybe = piece.names.maybe_reads if isinstance(piece, CellPiece) else ()
        return name not in self.parameters and name not in _BUILTINS and name not in maybe

    def _use(self, writer: FreePiece, piece: Piece) -> None:
        users = self._users.setdefault(writer.order, set())
        if piece.order in users:
            return
        users.add(piece.order)
        self._used_by.setdefault(piece.order, []).append(writer.order)
        self._needed[writer.order] = writer
        early = [n for n in writer.reads if n not in writer.late and n not in writer.own]
        self.follow(piece, early, writer.order)
        own = [n for n in writer.writes if n not in writer.statement.names.maybe_writes]
        late = [n for n in writer.late if n not in own]
        self.follow(piece, late, piece.order, late=late)

    def _use_function(self, name: str, piece: Piece) -> None:
        if isinstance(piece, CallPiece) and piece.call.function == name:
            return
        if name not in self._functions:
            self._functions.add(name)
            self.follow_function(self.pieces.functions[name][0], piece)

    def follow_function(self, function: StepFunction, piece: Piece) -> None:
        """Mark what a step function reads, and its fallback, as needed by `piece`."""
        self.follow(piece, self._function_reads(function), piece.order)
        self.follow_fallback(function.policy_source.get("fallback"), piece)

    def follow_fallback(self, fallback: object, piece: Piece) -> None:
        """Mark a fallback that is given by name as needed by `piece`."""
        if isinstance(fallback, Named):
            self.follow(piece, [fallback.name], piece.order)

    def _function_reads(self, function: StepFunction) -> list[str]:
        return [n for n in cell_names(function.source).reads if n != function.name]

    def lift_imports(self, piece: CellPiece) -> None:
        """Put a step's own imports to the module's top, where their names mean the same everywhere; else they stay."""
        for other in self._index.in_cell(piece):
            if other.order < piece.order and other.statement.is_import:
                text = ast.dump(other.statement.node)
                if all(self._means(name, text) for name in other.writes):
                    self._use(other, piece)
                    self.wanted.update(
                        n.id for s in piece.statements for n in ast.walk(s.node) if isinstance(n, ast.Name)
                    )

    def _means(self, name: str, text: str) -> bool:
        """Whether only imports with this text give the name a meaning."""
        return name not in self.parameters and all(
            isinstance(p, FreePiece) and p.statement.is_import and ast.dump(p.statement.node) == text
            for p in self._index.writers(name)
        )  # fmt: skip

    def set_up(self, piece: FreePiece) -> None:
        """A statement that sets something up by side effect is needed whether or not a name leads to it.

        Above all steps it may act when the module is loaded; below one it acts in its place.
        """
        if self._index.steps_above(piece):
            self.keep(piece)
            return
        self._setup.add(piece.order)
        self.require(piece)

    def require(self, piece: FreePiece) -> None:
        """A statement at the module's top that no name leads to, and that is needed all the same."""
        self._use(piece, piece)

    def keep(self, piece: FreePiece) -> None:
        """A statement that is needed for what it does, in its place among the steps; a definition does nothing."""
        if not piece.statement.is_import and not piece.statement.is_definition:
            self._kept.add(piece.order)
            self._use(piece, piece)

    # -- answers -----------------------------------------------------------------------------------------------------

    def has(self, piece: FreePiece) -> bool:
        return piece.order in self._needed

    def is_setup(self, piece: FreePiece) -> bool:
        return piece.order in self._setup

    def is_kept(self, piece: FreePiece) -> bool:
        return piece.order in self._kept

    def used_elsewhere(self, piece: CellPiece) -> list[FreePiece]:
        """The definitions of a step's cell that other pieces use."""
        return [p for p in self._index.in_cell(piece) if self.has(p) and p.statement.is_definition]

    def imports(self) -> list[FreePiece]:
        """The needed imports."""
        return [piece for piece in self._in_order if piece.statement.is_import]

    def is_constant(self, piece: FreePiece) -> bool:
        """Whether a needed statement is computed at the module's top, and so before all steps."""
        plain = not piece.statement.is_import and not piece.statement.is_definition
        return plain and self.has(piece) and self.kind(piece) == "module"

    def nested(self) -> list[str]:
        """Step functions that are called inside other steps, in the notebook's order."""
        return [name for name in self.pieces.functions if name in self._functions]

    @cached_property
    def at_module_level(self) -> list[FreePiece]:
        """The needed statements for the module's top, in the notebook's order. Asked when all needs are followed."""
        return [p for p in self._in_order if self.kind(p) == "module" and not self._is_second_meaning(p)]

    def hoisted_from(self, piece: Piece) -> set[int]:
        """The lines of the piece's cell that go to the module's top."""
        return self._hoisted.get(piece.cell.number, set())

    @cached_property
    def _hoisted(self) -> dict[int, set[int]]:
        found: dict[int, set[int]] = {}
        for piece in self.at_module_level:
            found.setdefault(piece.cell.number, set()).add(piece.statement.line)
        return found

    @cached_property
    def _in_order(self) -> list[FreePiece]:
        return [self._needed[order] for order in sorted(self._needed)]

    @cached_property
    def _first_meanings(self) -> dict[str, FreePiece]:
        """By name: the first needed statement that gives it a meaning at the module's top."""
        found: dict[str, FreePiece] = {}
        for piece in self._in_order:
            if self.kind(piece) == "module":
                for name in piece.writes:
                    found.setdefault(name, piece)
        return found

    def _is_second_meaning(self, piece: FreePiece) -> bool:
        """Whether a needed statement gives a name at the module's top another meaning than an earlier one did."""
        if piece.statement.names.maybe_writes or any(n in piece.reads for n in piece.gives):
            return False  # it goes on with the earlier meaning
        firsts = [(name, self._first_meanings.get(name, piece)) for name in piece.writes]
        return any(first.order < piece.order and not _imports_the_same(name, first, piece) for name, first in firsts)

    def local_to(self, piece: Piece) -> list[FreePiece]:
        """The helpers that go into this step's own body."""
        used = [self._needed[order] for order in sorted(self._used_by.get(piece.order, []))]
        local = {
            p for p in used if self.kind(p) == "local" or (self.kind(p) == "module" and self._is_second_meaning(p))
        }
        while more := {p for p in used if p not in local and self._calls_one_of(local, p)}:
            local |= more
        return [p for p in used if p in local]

    def _calls_one_of(self, local: Collection[FreePiece], piece: FreePiece) -> bool:
        """Whether a helper at the module's top reads what has another meaning in a step's body than there."""
        if not local or not piece.statement.is_helper or self.kind(piece) != "module":
            return False
        if any(name in piece.late for other in local for name in other.writes):
            return True
        return any(self.writer(name, piece.order) in local for name in piece.reads)

    def data_reads(self, piece: Piece, local: Sequence[FreePiece]) -> tuple[str, ...]:
        """The values and parameters that a step takes, those of its local helpers included."""
        own = {name for p in local for name in p.writes}
        for helper in local:
            self._refuse_rebound(helper, piece)
        reads = [n for n in piece.reads if n not in own and self.is_data(n, piece.order)]
        helped = [n for p in local for n in p.reads if n not in own and self.is_data(n, piece.order)]
        return tuple(dict.fromkeys([*reads, *helped]))

    def _refuse_rebound(self, helper: FreePiece, piece: Piece) -> None:
        """Refuse a definition that keeps a value of its step's cell which stands for another one where it is used."""
        for name in helper.own:
            writer = self.writer(name, piece.order)
            if writer is not None and writer.cell is not helper.cell:
                raise AnalysisError(
                    f"Cell {helper.cell.number}: '{helper.writes[0]}' keeps the '{name}' of its own cell, which cell "
                    f"{writer.cell.number} gives another value before {step_word(piece)} uses it.",
                    cure=f"Give '{name}' to it as an argument.",
                )

    def outputs(self, piece: CellPiece) -> tuple[str, ...]:
        """A cell's outputs: as declared or read from its code, and whatever else it writes that a later step reads."""
        later: list[str] = []
        for name in piece.names.writes:
            hoisted = any(name in p.writes for p in self._index.in_cell(piece) if self.has(p))
            if name not in piece.writes and not hoisted and self._is_read_later(name, piece):
                later.append(name)
        return (*piece.writes, *later)

    def _is_read_later(self, name: str, piece: CellPiece) -> bool:
        readers = self._index.readers(name, piece.order)
        helpers = (p for p in self._index.in_cell(piece) if name in p.reads and self.has(p))
        return any(not isinstance(other, FreePiece) or self.has(other) for other in readers) or any(
            self.kind(helper) == "local" for helper in helpers
        )

    def implicit_groups(self) -> list[list[FreePiece]]:
        """Needed statements that compute with data, cell by cell, and apart where a step stands between them."""
        groups: dict[tuple[int, int], list[FreePiece]] = {}
        for piece in self._in_order:
            if self.kind(piece) == "data":
                groups.setdefault((piece.cell.number, self._index.steps_above(piece)), []).append(piece)
        return list(groups.values())

    def group_reads(self, group: Sequence[FreePiece]) -> tuple[str, ...]:
        """The values that a group of statements takes from outside itself."""
        written: set[str] = set()
        reads: list[str] = []
        for piece in group:
            reads += [n for n in piece.reads if n not in written and self.is_data(n, group[0].order)]
            written.update(piece.writes)
        return tuple(dict.fromkeys(reads))

    def check_function(self, function: StepFunction, piece: Piece) -> None:
        """Refuse a step function that reads data which is not among its arguments."""
        for name in self._function_reads(function):
            if self.is_data(name, piece.order):
                cell = self.pieces.functions[function.name][1].number
                raise AnalysisError(
                    f"Cell {cell}: step '{function.name}' reads '{name}', which is data and not among its arguments.",
                    cure=f"Add '{name}' to its arguments and pass it in.",
                )

    def check_arguments(self, piece: CallPiece) -> None:
        """Refuse an argument that is neither a parameter nor a step's value."""
        for name in piece.reads:
            if not self.is_data(name, piece.order):
                raise AnalysisError(
                    f"Cell {piece.cell.number}: step '{piece.call.function}' is given '{name}', which is a constant.",
                    cure="Let the function read it by itself, or move it to the parameters cell.",
                )


def _imports_the_same(name: str, one: FreePiece, other: FreePiece) -> bool:
    first, second = (imported(name, piece.statement.node) for piece in (one, other))
    if first is None or second is None:
        return False
    return first == second or _is_one_object(first, second)


def _is_one_object(*meanings: tuple[str, str]) -> bool:
    """Whether two modules, which star imports have made known, give the same object: `numpy.sum` and `pylab.sum`."""
    found = [getattr(sys.modules.get(module), name, None) if name else None for module, name in meanings]
    return found[0] is not None and found[0] is found[1]


def imported(name: str, node: ast.stmt) -> tuple[str, str] | None:
    """What a name stands for after an import, as (module, name in it); None for any other statement."""
    if isinstance(node, ast.ImportFrom):
        found = next((alias.name for alias in node.names if name in (alias.asname, alias.name)), name)
        return f"{'.' * node.level}{node.module or ''}", found
    if isinstance(node, ast.Import):
        named = next((alias.name for alias in node.names if alias.asname == name), name)
        return named, ""
    return None


def find_needs(pieces: Pieces, parameters: frozenset[str], keep: Collection[int] = ()) -> Needs:
    """Follow every step's reads upwards; the statements at the places `keep` are needed in any case."""
    needs = Needs(pieces, parameters)
    for piece in pieces.all:
        if piece.order in keep and isinstance(piece, FreePiece):
            needs.keep(piece)
    modules = {n for p in pieces.all if isinstance(p, FreePiece) and p.statement.is_import for n in p.writes}
    for piece in pieces.all:
        if isinstance(piece, FreePiece):
            if piece.statement.is_future:
                needs.require(piece)
            elif not piece.in_step and is_setting(piece.statement, modules):
                needs.set_up(piece)
            continue
        needs.follow(piece, piece.reads, piece.order, late=piece.late)
        if isinstance(piece, CallPiece):
            needs.follow_function(pieces.functions[piece.call.function][0], piece)
        elif isinstance(piece, CellPiece):
            needs.follow_fallback(piece.mark.policy.fallback, piece)
            needs.lift_imports(piece)
    return needs
