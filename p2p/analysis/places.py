"""Where a notebook's `import` finds modules of its author's: beside it, and where it makes Python look (`sys.path`)."""

from __future__ import annotations

import ast
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from p2p.errors import AnalysisError

_WHOLE = frozenset({"abspath", "realpath", "resolve", "absolute", "normpath"})
_JOINED = frozenset({"join", "joinpath", "Path", "PurePath", "PosixPath"})
_SAME = frozenset({"str", "expanduser", "as_posix", "fspath"})
_INSTALLED = frozenset({"site-packages", "dist-packages"})
_HERE = frozenset({"getcwd", "cwd"})


@dataclass(frozen=True)
class Place:
    """A directory in which modules are looked for; `first` where it comes before the installed ones."""

    directory: Path
    first: bool


def places_of(folder: Path, cells: Iterable[str]) -> tuple[Place, ...]:
    """The notebook's directory, and those that its cells (their text) add to `sys.path`, as far as the text tells."""
    from p2p.analysis.transform import parse_cell

    found = [Place(folder, first=True)]
    known: dict[str, str] = {}
    texts = [*cells]
    if not any("sys.path" in text or "addsitedir" in text for text in texts):
        return tuple(found)
    for source in texts:
        try:
            body = parse_cell(source).body
        except AnalysisError:
            continue  # the notebook's reader tells
        for node in body:
            for expression, first in added_paths(node) or ():
                text = _path(expression, known, folder)
                if text is not None:
                    found.append(Place(Path(os.path.normpath(folder / text)), first))
            known |= dict(_assigned(node, known, folder))
    return tuple(found)


def added_paths(node: ast.stmt) -> list[tuple[ast.expr, bool]] | None:
    """What a statement adds to `sys.path`, and whether in front; None for one that does anything else."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute() as function, args=arguments)):
            return _added_by(ast.unparse(function), arguments)
        case ast.AugAssign(target=target, op=ast.Add(), value=ast.List(elts=added)) if _is_sys_path(target):
            return [(item, False) for item in added]
        case ast.If(test=test, body=body, orelse=[]) if any(_is_sys_path(part) for part in ast.walk(test)):
            parts = [added_paths(inner) for inner in body]
            return None if None in parts else [found for part in parts for found in part or ()]
    return None


def _added_by(function: str, arguments: Sequence[ast.expr]) -> list[tuple[ast.expr, bool]] | None:
    if function in ("sys.path.append", "site.addsitedir"):
        return [(item, False) for item in arguments[:1]]
    if function == "sys.path.insert":
        return [(item, True) for item in arguments[1:2]]
    if function == "sys.path.extend":
        lists = [item.elts for item in arguments if isinstance(item, ast.List | ast.Tuple)]
        return [(item, False) for found in lists for item in found]
    return None


def _is_sys_path(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.path"


def _assigned(node: ast.stmt, known: Mapping[str, str], folder: Path) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Assign) and all(isinstance(target, ast.Name) for target in node.targets):
        text = _path(node.value, known, folder)
        if text is not None:
            yield from ((target.id, text) for target in node.targets if isinstance(target, ast.Name))


def _path(node: ast.expr, known: Mapping[str, str], folder: Path) -> str | None:
    """The path that an expression gives, where it is put together as people do; None where it cannot be told."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name):
            return known.get(name)
        case ast.Attribute(value=inner, attr="parent"):
            return _above(_path(inner, known, folder), folder)
        case ast.Attribute(attr="pardir" | "curdir" | "sep" as name):
            return str(getattr(os, name))
        case ast.Subscript(value=ast.Attribute(value=inner, attr="parents"), slice=ast.Constant(value=int(count))):
            found = _path(inner, known, folder)
            for _ in range(count + 1):
                found = _above(found, folder)
            return found
        case ast.BinOp(left=left, op=ast.Div() | ast.Add() as how, right=right):
            one, other = _path(left, known, folder), _path(right, known, folder)
            if one is None or other is None:
                return None
            return str(Path(one, other)) if isinstance(how, ast.Div) else one + other
        case ast.Call(func=function, args=arguments):
            return _called(function, arguments, known, folder)
    return None


def _called(function: ast.expr, arguments: Sequence[ast.expr], known: Mapping[str, str], folder: Path) -> str | None:
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name in _HERE:
        return str(folder)
    own = _path(function.value, known, folder) if isinstance(function, ast.Attribute) else None
    parts = [part for part in (own, *(_path(item, known, folder) for item in arguments)) if part is not None]
    if len(parts) != len(arguments) + (own is not None):
        return None
    if name in _JOINED:
        return str(Path(*parts))
    if not parts:
        return None
    if name in _WHOLE:
        return os.path.normpath(folder / parts[0])
    if name == "dirname":
        return str(Path(parts[0]).parent)
    return str(Path(parts[0]).expanduser()) if name in _SAME else None


def _above(path: str | None, folder: Path) -> str | None:
    return None if path is None else str(Path(os.path.normpath(folder / path)).parent)


def find_file(module: str, directory: Path) -> Path | None:
    """The file of a module, dotted where it is in a package, that lies in a directory; None where there is none.

    That of a package without an `__init__.py` is its directory.
    """
    path = directory.joinpath(*module.split("."))
    for file in (path / "__init__.py", path.with_name(f"{path.name}.py")):
        if file.is_file():
            return file
    return path if path.is_dir() and any(path.glob("*.py")) else None


def is_installed(package: str) -> bool:
    """Whether a top-level module is Python's own, or lies where packages are installed."""
    if package in sys.stdlib_module_names:
        return True
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return False
    places = [spec.origin, *(spec.submodule_search_locations or ())] if spec is not None else []
    return any(is_library_path(place) for place in places if place)


@cache
def is_library_path(path: str | Path) -> bool:
    """Whether a file lies where Python itself is or packages are installed, also for a user or for other interpreters.

    The last are those that an environment with `--system-site-packages` sees, or one that a `.pth` file points to.
    """
    above = Path(path).resolve().parents
    return any(folder.name in _INSTALLED or folder in _libraries() for folder in above)


@cache
def _libraries() -> frozenset[Path]:
    return frozenset(
        Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")
    )
