"""The author's own modules that a pipeline needs: copied into its version, where its imports find them.

A version holds them in its package `modules`, each file as it is but for its imports of the others.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from p2p.analysis import Place, find_file, is_installed
from p2p.errors import AnalysisError
from p2p.export.moving import PACKAGE, moved_file, top_names
from p2p.secrets import names_secret

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
            tree = _parsed(file)
            _refuse_secrets(tree, file)
            self.follow(tree, module if package else module.rpartition(".")[0])


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


def _refuse_secrets(tree: ast.Module, file: Path) -> None:
    """A copy is committed with its version, where the file itself may be one that git is told to ignore."""
    for node in ast.walk(tree):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = getattr(node, "value", None)
        if not (isinstance(value, ast.Constant) and isinstance(value.value, str | bytes) and value.value):
            continue
        for target in targets:
            name = ast.unparse(target).rpartition(".")[2]
            if names_secret(name):
                raise AnalysisError(
                    f"'{file}', line {target.lineno}, which the notebook imports: '{name}' seems to hold a secret, "
                    "which a version would write down.",
                    cure="Read it from the environment.",
                )


def stand_in(copies: Mapping[str, str]) -> None:
    """Let this process load values whose classes the recorded run had from the author's modules, by their copies."""
    for module, copy in copies.items():
        sys.modules[module] = importlib.import_module(copy)
