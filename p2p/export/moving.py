"""Texts whose imports find the author's modules as copies in a version's package `modules`, and the way back."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator

from p2p.analysis import split_lines

PACKAGE = "modules"
_FROM = re.compile(rb"(from\s+)[\w.]+")


def top_names(paths: Iterable[str]) -> frozenset[str]:
    """The names at the top of the modules with these paths in the package."""
    return frozenset(path.partition("/")[0].removesuffix(".py") for path in paths)


def moved_file(path: str, text: str, names: Collection[str]) -> str:
    """The text of the copy, at that path in the package, of one of the author's files."""
    return moved(text, names, "." * (path.count("/") + 1), loading=True)


def moved(source: str, names: Collection[str], package: str, *, loading: bool = False) -> str:
    """A text whose imports of these top-level modules find them in a package.

    Args:
        source: the text.
        names: of the modules.
        package: the package, relative to the text: `.modules`, `..`.
        loading: `import a.b` loads `a.b` where it stands, as a module may need it at once that others import.
    """
    if not names or "import" not in source:
        return source
    lines = [line.encode() for line in split_lines(source, keepends=True)]
    nodes = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Import | ast.ImportFrom)]
    for node in sorted(nodes, key=lambda n: (n.lineno, n.col_offset), reverse=True):
        if isinstance(node, ast.ImportFrom):
            if not node.level and (node.module or "").partition(".")[0] in names:
                line = lines[node.lineno - 1]
                target = f"{package}{_dot(package)}{node.module}".encode()
                head = line[: node.col_offset] + _FROM.sub(rb"\1" + target, line[node.col_offset :], count=1)
                lines[node.lineno - 1] = head
        elif any(alias.name.partition(".")[0] in names for alias in node.names):
            _replace(lines, node, "; ".join(_imported(node, names, package, loading=loading)))
    return b"".join(lines).decode()


def brought_home(source: str) -> str:
    """A text of a version whose imports of copied modules find them as the notebook does: the reverse of `moved`."""
    if f".{PACKAGE}" not in source:
        return source
    lines = [line.encode() for line in split_lines(source, keepends=True)]
    inside = f"{PACKAGE}."
    found = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.ImportFrom) and n.level == 1]
    for node in sorted(found, key=lambda n: (n.lineno, n.col_offset), reverse=True):
        if node.module == PACKAGE:
            _replace(lines, node, ast.unparse(ast.Import(node.names)))
        elif node.module and node.module.startswith(inside):
            _replace(lines, node, ast.unparse(ast.ImportFrom(node.module.removeprefix(inside), node.names, 0)))
    return b"".join(lines).decode()


def _replace(lines: list[bytes], node: ast.stmt, text: str) -> None:
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    lines[first] = lines[first][: node.col_offset] + text.encode() + lines[last][node.end_col_offset :]
    for index in range(first + 1, last + 1):
        lines[index] = b""


def _imported(node: ast.Import, names: Collection[str], package: str, *, loading: bool) -> Iterator[str]:
    for alias in node.names:
        root, _, _rest = alias.name.partition(".")
        parent, _, last = alias.name.rpartition(".")
        if root not in names:
            yield ast.unparse(ast.Import([alias]))
            continue
        name = alias.asname or (f"_{alias.name.replace('.', '_')}" if loading else "")
        if parent and name:
            yield f"from {package}{_dot(package)}{parent} import {last} as {name}"
        if not (parent and alias.asname):
            yield f"from {package} import {root}{f' as {alias.asname}' if alias.asname else ''}"


def _dot(package: str) -> str:
    return "" if package.endswith(".") else "."
