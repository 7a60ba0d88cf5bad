"""What a step's code is: its own text, that of the helpers it uses, their constants, the versions of its packages.

Two steps of equal digest do the same with the same inputs, as far as code goes. What else they may depend on (files,
clock, network) is told as doubts, each a sentence that ends with what was seen.
"""

from __future__ import annotations

import functools
import inspect
import platform
import sys
import textwrap
import types
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from blake3 import blake3

from p2p.analysis import CellNames, cell_names, digest_source, is_library_path, version_of
from p2p.cache.doubts import doubts_of
from p2p.cache.fingerprints import IMMUTABLE
from p2p.errors import AnalysisError
from p2p.execution import Code
from p2p.store import identify

_PYTHON = f"python {platform.python_version()}"
_MOST = 500  # texts that are looked at for one step: of a large package of the user's own, the files stand for the rest


def code_of_cell(source: str, names: CellNames, namespace: Mapping[str, Any]) -> Code:
    """The code of a step cell: its data is its inputs, and is not counted here."""
    walk = _Walk()
    walk.text(source, namespace, names, constants=False)
    return walk.code()


def code_of_function(function: Any) -> Code:
    """The code of a step's function."""
    function = inspect.unwrap(function)
    known = _known.get(id(function))
    if known is not None and known.holds():
        return known.code
    walk = _Walk()
    walk.value("", function)
    code = walk.code()
    if walk.lasting:
        if len(_known) > _MOST_KNOWN:
            _known.clear()
        _known[id(function)] = _Known(code, tuple(walk.looked_up), tuple(walk.functions))
    return code


@dataclass(frozen=True)
class _Known:
    """What a function's code was found to be, and what that was told by.

    Attributes:
        looked_up: each name, the namespace in which it was looked up, and what it stood for.
        functions: each function with its code and its defaults: `%autoreload` gives a function another code.
    """

    code: Code
    looked_up: tuple[tuple[Mapping[str, Any], str, Any], ...]
    functions: tuple[tuple[types.FunctionType, types.CodeType, Any], ...]

    def holds(self) -> bool:
        """Whether all that it was told by is what it was."""
        return all(within.get(name, _ABSENT) is value for within, name, value in self.looked_up) and all(
            function.__code__ is code and function.__defaults__ is defaults
            for function, code, defaults in self.functions
        )


_ABSENT = object()
_MOST_KNOWN = 4096
_known: dict[int, _Known] = {}  # by the function's id, which nobody else has while the function is held here


class _Walk:
    """Goes from a text to all that it uses.

    Attributes:
        looked_up, functions: what the answer was told by, as `_Known` has it.
        lasting: whether it holds as long as they are what they were.
    """

    def __init__(self) -> None:
        self.looked_up: list[tuple[Mapping[str, Any], str, Any]] = []
        self.functions: list[tuple[types.FunctionType, types.CodeType, Any]] = []
        self.lasting = True
        self._parts: list[str] = [_PYTHON]
        self._doubts: dict[str, None] = {}
        self._seen: dict[int, Any] = {}  # the objects too, so that no id is used again
        self._waiting: deque[tuple[str, Any]] = deque()  # a list and no recursion: one helper may lead to hundreds
        self._texts = 0
        self._files = False  # whether the user's own modules are among the parts

    def code(self) -> Code:
        while self._waiting:
            self._take(*self._waiting.popleft())
        return Code(blake3("\0".join(sorted(self._parts)).encode()).hexdigest(), tuple(self._doubts))

    def text(self, source: str, namespace: Mapping[str, Any], names: CellNames, *, constants: bool) -> None:
        self._texts += 1
        self._parts.append(f"text {_text_digest(source)}")
        self._doubt(f"line {line} has `{what}`" for line, what in names.dynamic)
        self._doubt(doubts_of(source, {name: namespace[name] for name in names.reads if name in namespace}))
        for name in dict.fromkeys([*names.reads, *names.builtin_reads]):
            value = namespace.get(name, _ABSENT)
            self.looked_up.append((namespace, name, value))
            if value is not _ABSENT and (constants or _is_code(value)):
                self.value(name, value)

    def value(self, name: str, value: Any) -> None:
        if id(value) in self._seen:
            return
        self._seen[id(value)] = value
        self._waiting.append((name, value))

    def _take(self, name: str, value: Any) -> None:
        if isinstance(value, types.ModuleType):
            self._module(value.__name__)
        elif isinstance(value, types.FunctionType | type):
            self._defined(value)
        elif isinstance(getattr(value, "function", None), types.FunctionType) and hasattr(value, "policy"):
            self.value(name, value.function)  # a step function
        elif callable(value) and isinstance(getattr(value, "__module__", None), str) and not is_local(value.__module__):
            self._module(value.__module__)
        else:
            self._constant(name, value)

    def _doubt(self, found: Iterable[str]) -> None:
        self._doubts.update(dict.fromkeys(found))

    def _defined(self, value: Any) -> None:
        """A function or class: by its package's version, or by its text and what that uses."""
        if not is_local(value.__module__):
            self._module(value.__module__)
            return
        if self._texts > _MOST:
            self._doubt(["it uses more code of yours than is looked at"])
            self._module(value.__module__)
            return
        try:
            source = _source(value)
            names = _names(source)
        except (OSError, TypeError, AnalysisError):
            self.lasting = False
            self._doubt([f"the code of {value.__qualname__} cannot be read"])
            self._parts.append(f"unread {value.__qualname__}")
            return
        self.text(source, self._namespace(value), names, constants=True)

    def _namespace(self, value: Any) -> Mapping[str, Any]:
        """Where a function or class of the user's looks up its names; what it has by itself is taken."""
        if not isinstance(value, types.FunctionType):
            self.lasting = False  # `%autoreload` changes a class in place
            return vars(sys.modules.get(value.__module__, types.ModuleType("none")))
        self.functions.append((value, value.__code__, value.__defaults__))
        for place, default in enumerate(value.__defaults__ or ()):
            self._constant(f"{value.__qualname__}: default {place}", default)
        if not value.__closure__:
            return value.__globals__
        self.lasting = False
        return {**value.__globals__, **_closure(value)}

    def _constant(self, name: str, value: Any) -> None:
        self.lasting = self.lasting and isinstance(value, IMMUTABLE)
        ref = identify(value)
        self._parts.append(f"constant {name} {ref.digest}")
        if ref.digest is None:
            self._doubt([f"`{name}` is {ref.type}, which has no digest"])

    def _module(self, name: str) -> None:
        root = name.partition(".")[0]
        if is_local(name):
            files = {} if self._files else _local_files()
            self._parts += [f"file {module} {found}" for module, found in files.items()]
            self._files = True
            self.lasting = False
        elif root not in sys.stdlib_module_names and root != "p2p":  # what a step computes is not p2p's
            self._parts.append(f"package {root} {package_version(root)}")


# What a text says by itself is read once: a run asks for the code of each of its steps.
_text_digest = functools.lru_cache(maxsize=4096)(digest_source)
_names = functools.lru_cache(maxsize=4096)(cell_names)


class _Itself:
    """Stands for one object, whatever others are equal to it."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and self.value is other.value


def _source(value: Any) -> str:
    """The text of a function or class. A function's is that of its code, whatever its file has become meanwhile.

    Raises:
        OSError, TypeError: it cannot be read.
    """
    if isinstance(value, types.FunctionType):
        return _source_of_code(_Itself(inspect.unwrap(value).__code__))
    return textwrap.dedent(inspect.getsource(value))


@functools.lru_cache(maxsize=4096)
def _source_of_code(code: _Itself) -> str:
    return textwrap.dedent(inspect.getsource(code.value))


def _is_code(value: Any) -> bool:
    plain = types.ModuleType | types.FunctionType | types.BuiltinFunctionType | type
    return isinstance(value, plain) or (hasattr(value, "function") and hasattr(value, "policy"))


def _closure(function: types.FunctionType) -> dict[str, Any]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=False)
    found = {}
    for name, cell in cells:
        try:
            found[name] = cell.cell_contents
        except ValueError:
            continue  # not bound yet
    return found


def is_local(module: str | None) -> bool:
    """Whether a module is the user's own: no part of Python, and not installed. p2p never is, also in a checkout."""
    root = (module or "").partition(".")[0]
    if root == "p2p" or (root in sys.stdlib_module_names and root != "__main__"):
        return False
    found = sys.modules.get(module or "")
    path = getattr(found, "__file__", None)
    return root == "__main__" or path is None or not is_library_path(path)


def _local_files() -> dict[str, str]:
    """A digest of each of the user's own modules that are loaded: one may use another in ways that cannot be told."""
    found = {}
    for name, module in sorted(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if path and name != "__main__" and path.endswith(".py") and is_local(name) and not name.startswith("p2p"):
            found[name] = _file_digest(path, Path(path).stat().st_mtime_ns if Path(path).exists() else 0)
    return found


@functools.lru_cache(maxsize=4096)
def _file_digest(path: str, _changed: int) -> str:
    try:
        return str(blake3(Path(path).read_bytes()).hexdigest())
    except OSError:
        return "gone"


@functools.cache
def package_version(root: str) -> str:
    """The version of the installed package that has this top-level module."""
    try:
        return metadata.version(root)
    except metadata.PackageNotFoundError:
        return version_of(root) or "unknown"
