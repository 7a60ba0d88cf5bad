"""Digests of the values that a program ends with, taken inside it, whatever interpreter runs it.

This is the one module that is imported into the kernels, scripts and pipelines that are measured. It gives nothing to
p2p but one value at a time, to digest.
"""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from blake3 import blake3

from p2p.analysis import is_installed
from p2p.store import encode, plain_name
from p2p.store.canonical import CanonicalPickler
from p2p.store.naming import type_name

SHOWN = 16  # hex digits of a digest
OWN = "*"  # behind the digest of a value whose class, or that of a part of it, the notebook itself defines
SAID = "'"  # behind that of a value that is known by what it says of itself; its stored bytes may be others
DRAWN = "~"  # behind that of a figure, or of what holds a part of one: it depends on the screen it was drawn for
_LONGEST = 50_000_000  # bytes
ALLOWANCE = 120.0  # seconds that the digests at the ends of cells may take in all
_WRITTEN = frozenset({"builtins", "numpy", "pandas", "pyarrow", "polars"})  # their parts have bytes that can be trusted
_SHELL = frozenset({"In", "Out", "exit", "quit", "get_ipython", "open", "display"})

Digests = dict[str, str | None]


def _mark(codec: str | None, data: bytes) -> str:
    drawn = codec == "png" or b"matplotlib" in data
    return (OWN if b"__main__" in data else "") + (DRAWN if drawn else "")


class _Said(CanonicalPickler):
    """Writes what a value says of itself: not which of its parts are one object, nor where its classes are defined.

    A copy of a step's input is another object, and the classes of a notebook have another module in a version. What it
    writes is for a digest only: a part that holds itself is written as the way back to it.

    Attributes:
        differs: whether the value's pickle tells more than that.
    """

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self._file = file
        self._open: dict[int, int] = {}
        self._seen: dict[int, Any] = {}
        self.differs = False

    def memoize(self, obj: Any) -> None:
        pass

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:  # as pickle calls it
        if id(obj) in self._open:
            self.write(b"way back: %d" % (len(self._open) - self._open[id(obj)]))
            return
        if type(obj) not in _ALWAYS_WRITTEN:
            self.differs = self.differs or id(obj) in self._seen
            self._seen[id(obj)] = obj
        if self._file.tell() > _LONGEST:
            raise OverflowError("too much is shared to be written out")
        self._open[id(obj)] = len(self._open)
        super().save(obj, save_persistent_id)
        del self._open[id(obj)]

    def persistent_id(self, obj: Any) -> str | None:
        ours = isinstance(obj, type) and not _is_installed(obj.__module__.partition(".")[0])
        said = plain_name(f"{obj.__module__}.{obj.__qualname__}") if ours else _text_of_part(obj)
        self.differs = self.differs or said is not None
        return said


_is_installed = cache(is_installed)
_ALWAYS_WRITTEN = (str, bytes, int, float, bool, type(None), type, tuple)  # or known by what they are


def _text_of_part(obj: Any) -> str | None:
    """As `_by_text`, of a part of a value: of its own library only, and only where the text leaves nothing out."""
    package = type(obj).__module__.partition(".")[0]
    if isinstance(obj, type) or package in _WRITTEN or package in sys.stdlib_module_names or not _is_installed(package):
        return None
    text = _by_text(obj)
    return text.decode(errors="backslashreplace") if text is not None and b"..." not in text else None


def _said(value: Any, data: bytes) -> bytes:
    """What a value says of itself; its pickle where that says the same, or where it would be too long."""
    buffer = io.BytesIO()
    pickler = _Said(buffer)
    try:
        pickler.dump(value)
    except (OverflowError, RecursionError):
        return data
    return buffer.getvalue() if pickler.differs else data


def _by_text(value: Any) -> bytes | None:
    """A type and a text that stand for a value which is equal by what it says, such as an expression of sympy.

    Its bytes depend on what it has been asked before: it keeps the answers.
    """
    kind = type(value)
    own = kind.__eq__ is not object.__eq__ and kind.__hash__ not in (None, object.__hash__)
    if not own or kind.__module__ == "builtins":  # a tuple says too little of what it holds
        return None
    text = repr(value)
    return None if " at 0x" in text else f"{plain_name(type_name(value))} {text}".encode()


def digest(value: Any) -> str | None:
    """The beginning of a value's digest; None for what has none."""
    try:
        ref, data = encode(value)
        if ref.codec == "pickle" and (said := _by_text(value) or _said(value, data)) != data:
            return str(blake3(said).hexdigest())[:SHOWN] + _mark(None, said) + SAID
    except Exception:  # noqa: BLE001 - a value's own code runs here and may raise anything: it has no digest then
        return None
    if ref.digest is None:
        return None
    return ref.digest[:SHOWN] + _mark(ref.codec, data)


def bare(digest: str) -> str:
    """A digest without its marks, as long as those that are compared."""
    return digest.rstrip(OWN + DRAWN + SAID)[:SHOWN]


def digests(names: Mapping[str, Any]) -> Digests:
    """The digests of the user's values: not of modules, functions and classes, nor of what the shell put there."""
    return {
        name: digest(value)
        for name, value in names.items()
        if not name.startswith("_") and name not in _SHELL and not isinstance(value, (ModuleType, FunctionType, type))
    }


class Watch:
    """Takes the digests at the end of each cell of a kernel, while the allowance lasts.

    Attributes:
        borders: for each cell that ran, its digests; None when the allowance was used up.
    """

    def __init__(self, shell: Any) -> None:
        self.borders: list[Digests | None] = []
        self._shell = shell
        self._depth = 0  # `%%capture` and the like run a cell inside the cell
        self._spent = 0.0
        shell.events.register("pre_run_cell", self._before)
        shell.events.register("post_run_cell", self._after)

    def _before(self, _info: Any) -> None:
        self._depth += 1

    def _after(self, _result: Any) -> None:
        self._depth -= 1
        if self._depth > 0:
            return
        if self._depth < 0:  # the cell that started the watch
            self._depth = 0
            return
        started = time.perf_counter()
        self.borders.append(digests(self._shell.user_ns) if self._spent < ALLOWANCE else None)
        self._spent += time.perf_counter() - started


_watches: list[Watch] = []


def watch(shell: Any) -> None:
    """Watch the cells of this kernel from now on."""
    _watches.append(Watch(shell))


def leave(names: Mapping[str, Any], path: str) -> None:
    """Write down the digests of `names`, and those at the ends of the cells before where there was a watch."""
    borders = _watches[0].borders if _watches else []
    Path(path).write_text(json.dumps({"final": digests(dict(names)), "borders": borders}), encoding="utf-8")


def last_words(path: Path) -> str:
    """Code to put behind a program, that leaves the digests of its values in a file."""
    return (
        f"import benchmarks.convert.digests as _p2p_digests\n_p2p_digests.leave(globals(), {json.dumps(str(path))})\n"
    )


def left(path: Path) -> tuple[Digests, list[Digests | None]]:
    """What `leave` wrote: the digests at the end, and those at the end of each cell."""
    told = json.loads(path.read_text(encoding="utf-8"))
    return told["final"], told["borders"]
