"""What a plain notebook's cells are, told from their text: setup, helpers, work, drawing, looking around."""

from __future__ import annotations

import ast
import builtins
import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from p2p.analysis import CellNames, cell_names, magics
from p2p.analysis.mutation import roots
from p2p.errors import AnalysisError
from p2p.export.bodies import is_path_setting, is_setting, only_shows, plain_source, with_pylab
from p2p.export.statements import Statement, split_statements
from p2p.notebook import Cell

_DRAWING = frozenset(
    {"matplotlib", "seaborn", "plotly", "altair", "bokeh", "folium", "plotnine", "holoviews", "hvplot"}
)
_DRAWS = frozenset({"plot", "hist", "boxplot", "scatter_matrix", "plot_importance", "plot_tree"})


class Role(enum.StrEnum):
    """What a code cell is for."""

    PARAMETERS = "parameters"
    STEP = "step"
    SETUP = "setup"
    HELPERS = "helpers"
    CONSTANTS = "constants"
    PLOT = "plot"
    EXPLORATION = "exploration"
    EMPTY = "empty"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Look:
    """What a cell looks like by itself.

    Attributes:
        role: STEP for a cell that computes something which may be needed.
        reason: why, in words for its author.
        names: what it reads and writes.
        statements: its statements, without IPython's lines.
    """

    cell: Cell
    role: Role
    reason: str
    names: CellNames
    statements: tuple[Statement, ...] = ()

    @property
    def gives(self) -> tuple[str, ...]:
        """Names that stand for something else after it, in the order of the text."""
        return tuple(dict.fromkeys([*self.names.writes, *self.names.mutates]))


class Roles:
    """Looks at the cells of one notebook, in order; it has to know what they have imported and defined.

    Args:
        cells: all code cells.
    """

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.modules: dict[str, str] = {}
        self.functions: set[str] = set()
        self.looks = tuple(self._look(cell) for cell in cells)

    def _look(self, cell: Cell) -> Look:
        try:
            names = cell_names(with_pylab(cell.source))
            source = plain_source(cell.source, cell.number, strict=False)
            statements = tuple(split_statements(source, cell.number))
        except (AnalysisError, SyntaxError, ValueError, RecursionError) as error:
            return Look(cell, Role.UNCLEAR, str(getattr(error, "message", error)), CellNames())
        for statement in statements:
            self._learn(statement)
        role, reason = self._role(cell, statements, names)
        return Look(cell, role, reason, names, statements)

    def _learn(self, statement: Statement) -> None:
        node = statement.node
        if isinstance(node, ast.Import):
            for alias in node.names:
                self.modules[alias.asname or alias.name.partition(".")[0]] = alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                self.modules[alias.asname or alias.name] = (node.module or "").partition(".")[0]
        elif statement.is_definition:
            self.functions.update(statement.names.writes)

    def _role(self, cell: Cell, statements: Sequence[Statement], names: CellNames) -> tuple[Role, str]:
        foreign = [text for _line, text in magics(cell.source)]
        if not statements:
            return (Role.SETUP, f"only IPython's own: {foreign[0]:.40}") if foreign else (Role.EMPTY, "no code")
        work = [s for s in statements if not self._is_setup(s)]
        if not work:
            return Role.SETUP, "imports and settings"
        if all(s.is_definition for s in work):
            return Role.HELPERS, "defines functions or classes"
        if all(s.is_definition or _is_literal(s) or self._is_alias(s) for s in work):
            return Role.CONSTANTS, "sets constants"
        for line, what in names.dynamic:
            return Role.UNCLEAR, f"line {line}: {what} hides which names it reads and writes"
        shown = [s for s in work if not s.is_definition]
        if all(self._only_looks(s) for s in shown):
            if any(self._draws(s.node) for s in shown):
                return Role.PLOT, "draws, and gives nothing to other cells"
            return Role.EXPLORATION, "shows, and gives nothing to other cells"
        try:
            plain_source(cell.source, cell.number)
        except AnalysisError as error:
            return Role.UNCLEAR, str(error)
        return Role.STEP, ""

    def _is_alias(self, statement: Statement) -> bool:
        """Whether a statement gives another name to what imports, definitions and Python itself have: `Token = str`."""
        node = statement.node
        if not isinstance(node, ast.Assign) or not all(isinstance(t, ast.Name) for t in node.targets):
            return False
        parts = list(ast.walk(node.value))
        known = {*self.modules, *self.functions, *dir(builtins)}
        plain = all(
            isinstance(p, ast.Name | ast.Attribute | ast.Subscript | ast.Tuple | ast.expr_context) for p in parts
        )
        return plain and all(p.id in known for p in parts if isinstance(p, ast.Name))

    def _is_setup(self, statement: Statement) -> bool:
        if statement.is_import or is_path_setting(statement) or _is_text(statement.node):
            return True
        return is_setting(statement, set(self.modules))

    def _only_looks(self, statement: Statement) -> bool:
        """Whether a statement gives nothing: it shows, prints or draws."""
        names = statement.names
        node = statement.node
        drawn = isinstance(node, ast.Assign | ast.For | ast.With) and self._draws(node)
        if drawn and not names.mutates and all(_is_axis(name) for name in names.writes):
            return True
        if names.mutates or any(names.kinds[name] == "value" for name in names.writes):
            return False
        if only_shows(statement):
            return True
        if isinstance(node, ast.Expr):
            return not self._may_change(node.value, names)
        return isinstance(node, ast.For | ast.If | ast.With) and not any(
            self._may_change(part.value, names) for part in ast.walk(node) if isinstance(part, ast.Expr)
        )

    def _may_change(self, value: ast.expr, names: CellNames) -> bool:
        """Whether a call of the notebook's own function may change what it is given."""
        calls = [part for part in ast.walk(value) if isinstance(part, ast.Call)]
        return any(isinstance(c.func, ast.Name) and c.func.id in self.functions and names.reads for c in calls)

    def _draws(self, node: ast.AST) -> bool:
        for part in ast.walk(node):
            if isinstance(part, ast.Call):
                if any(self.modules.get(start.id) in _DRAWING for start in roots(part.func)):
                    return True
                if isinstance(part.func, ast.Attribute) and part.func.attr in _DRAWS:
                    return True
        return False


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_axis(name: str) -> bool:
    return name.rstrip("0123456789_") in ("fig", "figure", "ax", "axs", "axes", "g", "p", "plot", "i", "col", "c")


def _is_literal(statement: Statement) -> bool:
    """Whether a statement gives a name a value that is written out."""
    node = statement.node
    if isinstance(node, ast.AnnAssign):
        return node.value is not None and isinstance(node.target, ast.Name) and _is_written_out(node.value)
    names = isinstance(node, ast.Assign) and all(isinstance(t, ast.Name) for t in node.targets)
    return isinstance(node, ast.Assign) and names and _is_written_out(node.value)


def _is_written_out(value: ast.expr) -> bool:
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def literal_names(look: Look, wanted: Collection[str]) -> list[str]:
    """The names that a cell gives written-out values, of those that are wanted."""
    return [n for s in look.statements if _is_literal(s) for n in s.names.writes if n in wanted]
