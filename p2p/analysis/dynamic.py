"""Constructs whose names cannot be told from the text: `exec`, `globals()`, `from x import *`, `%run`."""

from __future__ import annotations

import ast
import re

_ALWAYS = {"exec", "eval", "globals"}
_MODULE_LEVEL = {"locals", "vars"}
_SHELL_METHODS = {"run_cell", "ex", "ev", "push", "drop_by_id", "safe_execfile", "run_code"}
_NAMESPACES = {"user_ns", "user_global_ns", "user_module"}
# Libraries that look variables up by the names in a string; a profiler looks in `__main__`, which a step is not.
_STRING_LOOKUPS = {("pd", "eval"), ("pandas", "eval"), ("ne", "evaluate"), ("numexpr", "evaluate")} | {
    *(("duckdb", name) for name in ("sql", "query", "execute")),
    *((module, "run") for module in ("cProfile", "profile")),
}
_LINE_MAGICS = {
    *(
        "run",
        "load",
        "loadpy",
        "store",
        "reset",
        "reset_selective",
        "xdel",
        "pylab",
        "rerun",
        "recall",
        "macro",
        "edit",
    ),
    *("timeit", "prun", "lprun", "mprun", "memit", "sql", "R"),
}
# Cell magics whose text is no Python that could bind names here.
_FOREIGN_CELLS = {
    *("bash", "sh", "script", "system", "sx", "!", "cmd", "perl", "ruby", "pypy", "python", "python2", "python3"),
    *("html", "HTML", "svg", "SVG", "javascript", "js", "latex", "markdown", "writefile", "file"),
}
_QUERY_NAME = re.compile(r"@([^\W\d]\w*)")


def dynamic_call(call: ast.Call, *, at_module_level: bool) -> str | None:
    """What makes this call impossible to analyse, in the words of the source; None for any other call."""
    func = call.func
    if isinstance(func, ast.Name):
        return _builtin(func.id, call, at_module_level)
    if not isinstance(func, ast.Attribute):
        return None
    if isinstance(func.value, ast.Name) and (func.value.id, func.attr) in _STRING_LOOKUPS:
        return f"{func.value.id}.{func.attr}("
    return _shell_call(func, call.args) if _is_get_ipython(func.value) else None


def _builtin(name: str, call: ast.Call, at_module_level: bool) -> str | None:
    if name == "globals":
        return "globals()"
    if name in _ALWAYS:
        return f"{name}("
    if name in _MODULE_LEVEL and at_module_level and not call.args:
        return f"{name}()"
    return None


def _shell_call(func: ast.Attribute, arguments: list[ast.expr]) -> str | None:
    magic = str(arguments[0].value) if arguments and isinstance(arguments[0], ast.Constant) else ""
    if func.attr in ("run_line_magic", "magic"):
        name = magic.lstrip("%").partition(" ")[0] or "?"
        return f"%{name}" if name in _LINE_MAGICS or name == "?" else None
    if func.attr == "run_cell_magic":
        return None if magic in _FOREIGN_CELLS else f"%%{magic or '?'}"
    return f"get_ipython().{func.attr}(" if func.attr in _SHELL_METHODS else None


def dynamic_attribute(node: ast.Attribute) -> str | None:
    """The namespace of the shell, where all names can be reached: `get_ipython().user_ns`."""
    return f"get_ipython().{node.attr}" if node.attr in _NAMESPACES else None


def _is_get_ipython(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "get_ipython"


def query_names(call: ast.Call) -> list[tuple[str, ast.expr]]:
    """Names that pandas reads out of the text of `frame.query("month == @month")` or `frame.eval(...)`."""
    if not (isinstance(call.func, ast.Attribute) and call.func.attr in ("query", "eval")):
        return []
    texts = [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "expr")]
    return [(name, text) for text in texts for name in _QUERY_NAME.findall(_constant_text(text))]


def _constant_text(node: ast.expr) -> str:
    constants = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant)]
    return " ".join(value for value in constants if isinstance(value, str))
