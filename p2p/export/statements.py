"""A cell's source cut into top-level statements, each with the comments above it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property

from p2p.analysis import CellNames, names_in, split_lines, to_python

_MAY_HOLD_LINES = re.compile(r"\"\"\"|'''|\\\r?\n|[fFtT][rR]?[\"']")  # what a string of several lines has
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Statement:
    """One top-level statement.

    Attributes:
        source: its text, comments above it and on its lines included.
        node: its syntax tree.
        cell: number of its cell.
        line: its first line in the cell, from 1.
        lazy_annotations: whether a cell above has imported them from `__future__`.
    """

    source: str
    node: ast.stmt
    cell: int
    line: int
    lazy_annotations: bool = False

    @cached_property
    def names(self) -> CellNames:
        """What it reads and writes; found when it is asked for, as most statements of a marked cell never are."""
        return names_in(ast.Module([self.node], []), lazy_annotations=self.lazy_annotations)

    @property
    def is_import(self) -> bool:
        return isinstance(self.node, ast.Import | ast.ImportFrom)

    @property
    def is_future(self) -> bool:
        """Whether it changes how Python reads what is below it."""
        return isinstance(self.node, ast.ImportFrom) and self.node.module == "__future__"

    @property
    def makes_annotations_lazy(self) -> bool:
        return self.is_future and "annotations" in self.names.writes

    @property
    def is_definition(self) -> bool:
        return isinstance(self.node, DEFINITIONS)

    @property
    def is_helper(self) -> bool:
        """Whether it is a definition, or a lambda that gets a name."""
        node = self.node
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            return all(isinstance(target, ast.Name) for target in node.targets)
        return self.is_definition


def split_statements(source: str, cell: int, *, lazy_annotations: bool = False) -> list[Statement]:
    """The top-level statements of a cell, in order; IPython's own lines come as the calls they stand for."""
    text = to_python(source)
    lines = split_lines(text)
    statements: list[Statement] = []
    after = 0
    for node in ast.parse(text).body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        start = comments_above(lines, first - 1, after)
        end = node.end_lineno or node.lineno
        piece = _piece(lines, start, first, end, node)
        statements.append(Statement(piece, node, cell, first, lazy_annotations))
        lazy_annotations = lazy_annotations or statements[-1].makes_annotations_lazy
        after = end
    return statements


def comments_above(lines: list[str], first: int, after: int) -> int:
    """Index of the first of the comment lines directly above line index `first`, not before `after`."""
    start = first
    while start > after and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    return start


def _piece(lines: list[str], start: int, first: int, end: int, node: ast.stmt) -> str:
    """The lines of a statement; where several share a line (`a = 1; b = 2`), only its own part."""
    shares = lines[first - 1][: node.col_offset].strip() or _after(lines[end - 1], node).lstrip().startswith(";")
    if shares:
        return ast.unparse(node)
    return "\n".join(lines[start:end])


def _after(line: str, node: ast.stmt) -> str:
    return line.encode()[node.end_col_offset or 0 :].decode()


def indent(source: str) -> str:
    """The source four spaces further in, but for lines that lie inside a string. It must parse as a module."""
    inside: set[int] = set()
    for node in ast.walk(ast.parse(source)) if _MAY_HOLD_LINES.search(source) else ():
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)):
            # Line numbers count from 1, so this leaves alone every line of the string but its first.
            inside.update(range(node.lineno, node.end_lineno or node.lineno))
    lines = split_lines(source)
    return "\n".join(line if i in inside or not line.strip() else f"    {line}" for i, line in enumerate(lines))
