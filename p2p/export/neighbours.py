"""The author's own modules that a pipeline needs: copied into its version, where its imports find them.

A version holds them in its package `modules`, each file as it is but for its imports of the others.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from p2p.analysis import Place, find_file, is_installed, split_lines
from p2p.errors import AnalysisError

PACKAGE = "modules"
_FROM = re.compile(rb"(from\s+)[\w.]+")
_INIT = "__init__.py"


@dataclass(frozen=True)
class Neighbours:
    """The copied modules of a version.

    Attributes:
        files: by path in the package, the file that it is a copy of.
        dotted: the modules that `import a.b` in a step or above all steps loads, where only `a` gets a name.
    """

    files: Mapping[str, Path] = field(default_factory=dict)
    dotted: Collection[str] = ()

    @property
    def names(self) -> frozenset[str]:
        """The names of the modules at the top."""
        return top_names(self.files)

    def copies(self, package: str) -> dict[str, str]:
        """By the name of each module, that of its copy in the package of a version."""
        names = [path.removesuffix(f"/{_INIT}").removesuffix(".py").replace("/", ".") for path in self.files]
        return {name: f"{package}.{PACKAGE}.{name}" for name in names}

    def texts(self) -> Iterator[tuple[str, str]]:
        """Path in the version and text of each file, those included that make packages of directories."""
        loads = "".join(f'import_module(".{module}", __name__)\n' for module in sorted(self.dotted))
        loads = f"\nfrom importlib import import_module\n\n{loads}" if loads else ""
        yield (
            f"{PACKAGE}/{_INIT}",
            f'"""Modules of the author\'s own, copied from where the notebook finds them."""\n{loads}',
        )
        for path, file in self.files.items():
            text = _text(file) if file.is_file() else ""
            yield f"{PACKAGE}/{path}", moved_file(path, text, self.names)


def find_neighbours(sources: Iterable[str], places: Sequence[Place]) -> Neighbours:
    """The modules that lie in these places and that the sources import, and those that these import in turn.

    Raises:
        AnalysisError: one of them cannot be read.
    """
    search = _Search(places)
    trees = [ast.parse(source) for source in sources if "import" in source]
    for tree in trees:
        search.follow(tree, "")
    names = top_names(search.files)
    found = (
        a.name for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names if not a.asname
    )
    dotted = frozenset(name for name in found if "." in name and name.partition(".")[0] in names)
    return Neighbours(dict(sorted(search.files.items())), dotted)


class _Search:
    def __init__(self, places: Sequence[Place]) -> None:
        self.places = places
        self.files: dict[str, Path] = {}

    def follow(self, tree: ast.AST, inside: str) -> None:
        """Take in what a text imports; `inside` is the package that it is in."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    self.take(alias.name)
            elif isinstance(node, ast.ImportFrom):
                module = _absolute(node, inside)
                if module and self.take(module):
                    for alias in node.names:
                        self.take(f"{module}.{alias.name}")

    def take(self, module: str) -> bool:
        """Take in a module with the packages around it; whether it is one of the author's."""
        directory = home_of(module.partition(".")[0], self.places)
        if directory is None:
            return False
        parts = module.split(".")
        for count in range(1, len(parts) + 1):
            name = ".".join(parts[:count])
            file = find_file(name, directory)
            if file is None:
                return count > 1  # an attribute of a module
            self._add(name, file)
        return True

    def _add(self, module: str, file: Path) -> None:
        package = file.is_dir() or file.name == _INIT
        path = f"{module.replace('.', '/')}{f'/{_INIT}' if package else '.py'}"
        if path in self.files:
            return
        self.files[path] = file
        if file.is_file():
            self.follow(_parsed(file), module if package else module.rpartition(".")[0])


def home_of(package: str, places: Sequence[Place]) -> Path | None:
    """The directory where Python finds a top-level module that is not installed; None where it is, or is in none."""
    if not package or is_installed(package):
        return None
    return next((p.directory for p in places if find_file(package, p.directory) is not None), None)


def hidden_by(package: str, places: Sequence[Place]) -> Path | None:
    """The file that stands before an installed module of the same name, so that only a run tells which one it is."""
    if not package or not is_installed(package):
        return None
    found = (find_file(package, place.directory) for place in places if place.first)
    return next((file for file in found if file is not None and file.is_file()), None)


def _absolute(node: ast.ImportFrom, inside: str) -> str:
    """The module that an import names, from the top; nothing for one that leaves its package."""
    if not node.level:
        return node.module or ""
    parts = inside.split(".") if inside else []
    if node.level > len(parts):
        return ""
    kept = parts[: len(parts) - node.level + 1]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AnalysisError(f"'{file}', which the notebook imports, cannot be read: {error}.") from error


def _parsed(file: Path) -> ast.Module:
    try:
        return ast.parse(_text(file))
    except (SyntaxError, ValueError) as error:
        raise AnalysisError(f"'{file}', which the notebook imports, is no Python: {error}.") from error


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


def stand_in(copies: Mapping[str, str]) -> None:
    """Let this process load values whose classes the recorded run had from the author's modules, by their copies."""
    for module, copy in copies.items():
        sys.modules[module] = importlib.import_module(copy)
