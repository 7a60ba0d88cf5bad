"""Statements as lines: where they lie in a cell, how they look at another indentation, and edits of a cell's lines."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from p2p.analysis import parse_cell, split_lines, split_mark, to_python
from p2p.export.bodies import plain_source
from p2p.export.statements import comments_above
from p2p.notebook import Cell


@dataclass(frozen=True)
class Block:
    """The lines of a statement, comments above it included; of several, where they share a line.

    Attributes:
        start, end: the lines, from 0, the last one not included.
        first: the line on which the code begins.
    """

    start: int
    first: int
    end: int
    nodes: tuple[ast.stmt, ...]


def blocks(lines: Sequence[str], nodes: Iterable[ast.stmt], after: int = 0) -> list[Block]:
    """The blocks of statements that follow each other; no comment before line `after` is theirs."""
    found: list[Block] = []
    for node in nodes:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))]) - 1
        end = node.end_lineno or node.lineno
        if found and first < found[-1].end:
            last = found.pop()
            found.append(Block(last.start, last.first, max(end, last.end), (*last.nodes, node)))
        else:
            start = comments_above(list(lines), first, found[-1].end if found else after)
            found.append(Block(start, first, end, (node,)))
    return found


@dataclass(frozen=True)
class Part:
    """One statement, written without indentation.

    Attributes:
        lines: its lines, comments above it included.
        fixed: those of them that lie inside a text, so that no indentation may be put before them.
    """

    node: ast.stmt
    lines: tuple[str, ...]
    fixed: frozenset[int] = frozenset()

    def at(self, prefix: str) -> tuple[str, ...]:
        """The lines behind a prefix."""
        return tuple(
            line if place in self.fixed or not line else prefix + line for place, line in enumerate(self.lines)
        )


def part(lines: Sequence[str], block: Block) -> Part:
    """A block as a part of its own."""
    deep = block.nodes[0].col_offset
    inside = {
        number - 1 - block.start
        for node in block.nodes for text in _texts(node)
        for number in range(text.lineno + 1, (text.end_lineno or text.lineno) + 1)
    }  # fmt: skip
    shown = (
        line if place in inside else line[deep:].rstrip()
        for place, line in enumerate(lines[block.start : block.end])
    )  # fmt: skip
    return Part(block.nodes[0], tuple(shown), frozenset(inside))


def _texts(node: ast.AST) -> Iterator[ast.JoinedStr | ast.Constant]:
    for inner in ast.walk(node):
        is_plain = isinstance(inner, ast.Constant) and isinstance(inner.value, str | bytes)
        if is_plain or isinstance(inner, ast.JoinedStr):
            yield inner  # type: ignore[misc]  # mypy cannot follow the line above


@dataclass(frozen=True)
class CellText:
    """A cell's code as it stands in the notebook."""

    cell: Cell

    @cached_property
    def _python(self) -> str:
        return to_python(plain_source(split_mark(self.cell.source)[1], self.cell.number, strict=False))

    @cached_property
    def lines(self) -> list[str]:
        """The lines as Python reads them; those that only IPython reads are empty."""
        return split_lines(self._python)

    @cached_property
    def blocks(self) -> list[Block]:
        """Its statements."""
        return blocks(self.lines, parse_cell(self._python).body)

    def is_plain(self, start: int, end: int) -> bool:
        """Whether these lines are, as Python reads them, just what is written in the cell."""
        return split_lines(self.cell.source)[start:end] == self.lines[start:end]


@dataclass(frozen=True, order=True)
class Edit:
    """New lines for some of a cell's; none are replaced where `start` is `end`."""

    cell: int
    start: int
    end: int
    lines: tuple[str, ...]


def edited(source: str, edits: Iterable[Edit]) -> str:
    """A cell's source after edits of it."""
    lines = split_lines(source, keepends=True)
    ends = source.endswith("\n")
    if lines and not ends:
        lines[-1] += "\n"
    for edit in sorted(edits, reverse=True):
        end = edit.end + (not edit.lines and _leaves_a_gap(lines, edit))
        lines[edit.start : end] = [f"{line}\n" for line in edit.lines]
    text = "".join(lines)
    return text if ends else text.removesuffix("\n")


def _leaves_a_gap(lines: Sequence[str], edit: Edit) -> bool:
    """Whether what is taken out stands between two empty lines, of which one goes with it."""
    around = [*lines[max(edit.start - 1, 0) : edit.start], *lines[edit.end : edit.end + 1]]
    return len(around) == 2 and not any(line.strip() for line in around)
