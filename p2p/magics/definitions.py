"""The statements of a step cell that have to run even when its result is known: what later cells use of its code."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from p2p.analysis import CellNames
from p2p.analysis.settings import SETTING

_DEFINES = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def definitions(nodes: Sequence[ast.stmt], names: CellNames) -> list[ast.stmt] | None:
    """Imports, functions and classes of a cell, and what sets options; None where they cannot be told from its work."""
    found = [node for node in nodes if isinstance(node, _DEFINES) or _sets_up(node, names)]
    compound = [node for node in nodes if not isinstance(node, _DEFINES)]
    hidden = any(isinstance(inner, _DEFINES) for node in compound for inner in _statements_in(node))
    return None if hidden else found


def _statements_in(node: ast.AST) -> list[ast.AST]:
    """The statements inside a compound one, without those of functions and classes in it."""
    found: list[ast.AST] = []
    for child in ast.iter_child_nodes(node):
        found.append(child)
        if not isinstance(child, (*_DEFINES, ast.Lambda)):
            found += _statements_in(child)
    return found


def _sets_up(node: ast.stmt, names: CellNames) -> bool:
    """Whether a statement calls a module's function for its side effect: a warning filter, an option, a style."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return SETTING.match(_called(node.value.func)) is not None and not _needs_values(node, names)
    return False


def _called(function: ast.expr) -> str:
    return str(getattr(function, "attr", getattr(function, "id", "")))


def _needs_values(node: ast.AST, names: CellNames) -> bool:
    """Whether it uses a value that the cell makes, which is not there when the cell's work is not done."""
    used = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    return any(names.kinds.get(name) in ("value", "loop") for name in used)
