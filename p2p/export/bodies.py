"""What a cell's code becomes inside a function: IPython's own lines taken off, displays dropped, imports lifted."""

from __future__ import annotations

import ast
import re

from p2p.analysis import added_paths, magics, split_lines
from p2p.analysis.settings import SETTING
from p2p.errors import AnalysisError
from p2p.export.statements import Statement

# Line magics that only change how the notebook looks or loads, and mean nothing in a module.
_HARMLESS = re.compile(r"^\s*%(matplotlib|load_ext|reload_ext|autoreload|config|precision|pylab|p2p)\b")
# Cell magics that measure or capture and leave the code below them as it is.
_TRANSPARENT = re.compile(r"^\s*%%(time|capture|prun)\b")
# `sample` is none of them: it draws from the global random generator.
_SHOWS = {"head", "tail", "describe", "info", "show", "display", "value_counts", "plot"}


def plain_source(source: str, cell: int, *, strict: bool = True) -> str:
    """The cell without IPython's harmless lines, other lines kept in their places.

    Other magics are refused by cell and line, unless `strict` is off (an unmarked cell: its magics are left out, and
    what a cell magic such as `%%bash` runs with it).
    """
    lines = split_lines(source)
    for number, text in magics(source):
        if strict and not _HARMLESS.match(text) and not _TRANSPARENT.match(text):
            raise AnalysisError(
                f"Cell {cell}, line {number}: '{text.strip()}' is IPython's and has no meaning in a module.",
                cure="Write it in Python, or move it to an unmarked cell that no step needs.",
            )
        if text.startswith("%%") and not _TRANSPARENT.match(text):
            return ""
        lines[number - 1] = _pylab(text)
    return "\n".join(lines)


def is_harmless(magic: str) -> bool:
    """Whether a line of IPython's own changes only how the notebook looks or loads, and gives no names."""
    return bool(_HARMLESS.match(magic))


def with_pylab(source: str) -> str:
    """The cell with the imports that `%pylab` stands for."""
    lines = split_lines(source)
    for number, text in magics(source):
        lines[number - 1] = _pylab(text) or lines[number - 1]
    return "\n".join(lines)


def _pylab(magic: str) -> str:
    """The imports that `%pylab` stands for, as `IPython.core.pylabtools` has them; nothing for any other line."""
    if not re.match(r"%pylab\b", magic):
        return ""
    stars = "" if "--no-import-all" in magic else "; from matplotlib.pylab import *; from numpy import *"
    return (
        "import numpy, matplotlib; import numpy as np; from matplotlib import mlab, pylab, pyplot; "
        f"from matplotlib import pyplot as plt; from IPython.core.pylabtools import figsize, getfigs{stars}"
    )


def is_dropped(statement: Statement, *, displays: bool = False) -> bool:
    """Whether a statement has no meaning in a module: p2p's own marks, `sys.path`, and what only displays.

    With `displays` the latter stays: a method called `show`, or an item of a `defaultdict`, may act after all.
    """
    node = statement.node
    if isinstance(node, ast.ImportFrom):
        return node.module == "p2p" and all(alias.name != "idempotency_key" for alias in node.names)
    return is_path_setting(statement) or (not displays and only_shows(statement))


def is_path_setting(statement: Statement) -> bool:
    """Whether a statement only makes Python look in more places: what it finds there goes into the version."""
    return added_paths(statement.node) is not None


def only_shows(statement: Statement) -> bool:
    """Whether a statement does nothing but display: a bare name, `df.head()`, `display(x)`, `plt.show()`."""
    node = statement.node
    if not isinstance(node, ast.Expr):
        return False
    value = node.value
    if isinstance(value, ast.Name | ast.Attribute | ast.Subscript | ast.Tuple):
        return not any(isinstance(part, ast.Call) for part in ast.walk(value))
    if isinstance(value, ast.Constant):
        return not isinstance(value.value, str)
    return isinstance(value, ast.Call) and _is_show(value)


def _is_show(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        return call.func.id == "display"
    if not isinstance(call.func, ast.Attribute):
        return False
    root = call.func.value
    name = call.func.attr
    if name == "show":
        return True
    return name in _SHOWS - {"plot", "display"} and not isinstance(root, ast.Constant)


def is_setting(statement: Statement, modules: set[str]) -> bool:
    """Whether an unmarked statement sets something up by side effect: a seed, an option, a warning filter.

    `modules` are the names that imports have bound. The call's own arguments may not need data.
    """
    node = statement.node
    if isinstance(node, ast.Assign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return all(isinstance(t, ast.Attribute | ast.Subscript) and _root(t) in modules for t in targets)
    if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        return False
    function = node.value.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return _root(function) in modules and bool(SETTING.match(name))


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
