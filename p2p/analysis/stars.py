"""The names that `from module import *` gives: by asking an installed module, or by reading one of the author's own.

To ask is to import the module, as the notebook does. A module that lies beside the notebook is not asked, as that would
run its code: its text tells which names it binds.
"""

from __future__ import annotations

import ast
import dis
import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from p2p.analysis.places import Place, find_file, is_installed

_PLACES: ContextVar[tuple[Place, ...]] = ContextVar("places", default=())


@contextmanager
def looking_in(places: Sequence[Place]) -> Iterator[None]:
    """In the block, star imports of modules that lie in these places are understood."""
    token = _PLACES.set(tuple(places))
    try:
        yield
    finally:
        _PLACES.reset(token)


def star_names(module: str) -> frozenset[str] | None:
    """What a star import of the module binds; None for a module that can neither be asked nor read."""
    return _names(module, ())


def _names(module: str, above: tuple[Path, ...]) -> frozenset[str] | None:
    if is_installed(module.partition(".")[0]):
        return _asked(module)
    found = (find_file(module, place.directory) for place in _PLACES.get())
    return _read(next((file for file in found if file is not None), None), above)


@cache
def _asked(module: str) -> frozenset[str] | None:
    try:
        found = importlib.import_module(module)
    except Exception:  # noqa: BLE001  # importing runs the module's code
        return None
    public = getattr(found, "__all__", None)
    return frozenset(public if public is not None else (name for name in vars(found) if not name.startswith("_")))


def _read(file: Path | None, above: tuple[Path, ...]) -> frozenset[str] | None:
    """What a file binds, those that star imports in it give among it; `above` are the files on the way to it."""
    if file is None or not file.is_file() or file in above:
        return None
    try:
        text = file.read_text(encoding="utf-8")
        tree = ast.parse(text)
        code = compile(tree, str(file), "exec", dont_inherit=True)
    except (OSError, SyntaxError, ValueError):
        return None
    # Not symtable, which from Python 3.12 on counts the variables of comprehensions among them.
    bound = {str(one.argval) for one in dis.get_instructions(code) if one.opname == "STORE_NAME"}
    if "__all__" in bound:
        return _listed(tree)
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level == 1 and file.name == "__init__.py" and node.module:
            bound.add(node.module.partition(".")[0])  # a package has its loaded modules as attributes
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            more = _given_to(file, node, (*above, file))
            if more is None:
                return None
            bound |= more
    return frozenset(name for name in bound if not name.startswith("_") and name != "*")


def _given_to(file: Path, node: ast.ImportFrom, above: tuple[Path, ...]) -> frozenset[str] | None:
    """What a star import in a file gives it."""
    module = node.module or ""
    return _read(find_file(module, file.parents[node.level - 1]), above) if node.level else _names(module, above)


def _listed(tree: ast.Module) -> frozenset[str] | None:
    """The names in `__all__`, where it is one list of texts, and nothing adds to it."""
    found = [n.value for n in tree.body if isinstance(n, ast.Assign) and "__all__" in map(ast.unparse, n.targets)]
    mentioned = sum(isinstance(node, ast.Name) and node.id == "__all__" for node in ast.walk(tree))
    try:
        return frozenset(ast.literal_eval(found[0])) if len(found) == mentioned == 1 else None
    except (ValueError, TypeError):
        return None
