"""`global` in the functions of a step's cell, whose globals are the local names of a function in the module."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from p2p.analysis import split_lines
from p2p.analysis.scopes import Bindings, argument_names
from p2p.export.statements import DEFINITIONS, Statement


@dataclass(frozen=True)
class Declared:
    """One `global` statement.

    Attributes:
        node: the statement.
        hidden: names that a function around it has for itself, so that `nonlocal` would mean those.
        at_top: whether it stands outside of any function.
    """

    node: ast.Global
    hidden: frozenset[str] = frozenset()
    at_top: bool = True


def declared(nodes: Iterable[ast.AST]) -> Iterator[Declared]:
    """The `global` statements of these nodes."""
    for node in nodes:
        yield from _declared(node, Declared(ast.Global([])))


def _declared(node: ast.AST, around: Declared) -> Iterator[Declared]:
    if isinstance(node, ast.Global):
        yield replace(around, node=node)
    inside = replace(around, at_top=False) if isinstance(node, DEFINITIONS) else around
    for child in ast.iter_child_nodes(node):
        yield from _declared(child, _within(node, inside))


def _within(node: ast.AST, around: Declared) -> Declared:
    """What holds inside a function: its own names hide those of the cell."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return around
    own = Bindings.of(node.body).locals | set(argument_names(node.args))
    return replace(around, hidden=around.hidden | own)


def bound_in(body: Sequence[Statement], inputs: Collection[str]) -> set[str]:
    """The names that the function of a step has for itself, so that functions inside it can name them `nonlocal`."""
    return {*inputs, *Bindings.of(s.node for s in body).bound}


def can_be_nonlocal(name: str, body: Sequence[Statement], inputs: Collection[str]) -> bool:
    """Whether every `global name` in a step's body can be written as `nonlocal name` there."""
    found = [d for d in declared(s.node for s in body) if name in d.node.names]
    return name in bound_in(body, inputs) and not any(d.at_top or name in d.hidden for d in found)


def with_nonlocals(statement: Statement, names: Collection[str]) -> Statement:
    """The statement, with `nonlocal` for `global` where it declares `names`."""
    if not names or "global " not in statement.source:
        return statement
    tree = ast.parse(statement.source)
    found = [d.node for d in declared(tree.body) if any(n in names for n in d.node.names)]
    lines = split_lines(statement.source, keepends=True)
    for node in sorted(found, key=lambda n: (n.lineno, n.col_offset), reverse=True):
        _rewrite(lines, node, names)
    return replace(statement, source="".join(lines))


def _rewrite(lines: list[str], node: ast.Global, names: Collection[str]) -> None:
    kept = [n for n in node.names if n not in names]
    texts = [
        f"nonlocal {', '.join(n for n in node.names if n in names)}",
        *([f"global {', '.join(kept)}"] if kept else []),
    ]
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    start, end = lines[first].encode()[: node.col_offset], lines[last].encode()[node.end_col_offset or 0 :]
    lines[first : last + 1] = [f"{start.decode()}{'; '.join(texts)}{end.decode()}"]
