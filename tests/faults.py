"""File operations that fail: the nth one that changes the disk, at the seam where Python calls the system.

In a test: `with failing(7, errno.ENOSPC, below=folder) as faults: ...`. In a process of its own: add
`setting(...)` to its environment, and start it as `python -c "import tests.faults; ..."`. What a C library opens by
itself, such as SQLite's files, does not come through here.
"""

from __future__ import annotations

import builtins
import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

VARIABLE = "P2P_FAULTS"
# By place of what they work on: a path (and, for renaming, the path it becomes), or a descriptor.
_ON_PATHS = ("mkdir", "replace", "rename", "link", "symlink")
_ON_DESCRIPTORS = ("write", "fsync", "ftruncate")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


@dataclass
class Faults:
    """What happened so far.

    Attributes:
        nth: which operation fails, counted from 1; 0 for none.
        code: the errno that it fails with.
        below: only what lies in this folder counts; everything, when None.
        lasting: all later ones fail too, as on a disk that stays full.
        calls: the operations that were counted, as (name, path).
        failed: how many failed.
    """

    nth: int
    code: int
    below: Path | None = None
    lasting: bool = False
    calls: list[tuple[str, str]] = field(default_factory=list)
    failed: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._prefix = "" if self.below is None else f"{self.below}{os.sep}"

    def count(self, name: str, place: str) -> None:
        """One operation on `place`; raises OSError when its turn to fail has come."""
        if not place.startswith(self._prefix):
            return
        with self._lock:
            self.calls.append((name, place))
            now = len(self.calls)
            fails = self.nth > 0 and (now == self.nth or (self.lasting and now > self.nth))
            self.failed += fails
        if fails:
            raise OSError(self.code, os.strerror(self.code), place)


@contextmanager
def failing(nth: int, code: int, *, below: Path | None = None, lasting: bool = False) -> Iterator[Faults]:
    """In the block, the nth operation that changes the disk fails with the errno `code`; 0 just counts them."""
    faults = Faults(nth, code, below, lasting)
    seams = _seams(faults)
    before = {seam: getattr(*seam) for seam in seams}
    for (module, name), replacement in seams.items():
        setattr(module, name, replacement)
    try:
        yield faults
    finally:
        for (module, name), real in before.items():
            setattr(module, name, real)


def setting(nth: int, code: int, *, below: Path | None = None, lasting: bool = False) -> dict[str, str]:
    """What to add to the environment of a process that imports this module, for faults from its start to its end."""
    return {VARIABLE: f"{nth} {code} {int(lasting)} {below or ''}"}


def _seams(faults: Faults) -> dict[tuple[Any, str], Callable[..., Any]]:
    return {
        (os, "open"): _opening(faults, os.open),
        (io, "open"): _opening_files(faults, io.open),
        (builtins, "open"): _opening_files(faults, builtins.open),
        (os, "truncate"): _on_either(faults, "truncate", os.truncate),
        **{(os, name): _on_paths(faults, name, getattr(os, name)) for name in _ON_PATHS},
        **{(os, name): _on_descriptors(faults, name, getattr(os, name)) for name in _ON_DESCRIPTORS},
    }


def _opening(faults: Faults, real: Callable[..., int]) -> Callable[..., int]:
    def opened(path: Any, flags: int, *args: Any, **options: Any) -> int:
        if flags & _WRITING:
            faults.count("open", _place(path))
        return real(path, flags, *args, **options)

    return opened


def _opening_files(faults: Faults, real: Callable[..., Any]) -> Callable[..., Any]:
    def opened(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
        if set(mode) & set("wax+") and not isinstance(file, int):
            faults.count("open", _place(file))
        return real(file, mode, *args, **options)

    return opened


def _on_paths(faults: Faults, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def called(path: Any, *args: Any, **options: Any) -> Any:
        faults.count(name, _place(args[0] if args and name in ("replace", "rename") else path))
        return real(path, *args, **options)

    return called


def _on_descriptors(faults: Faults, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def called(descriptor: int, *args: Any) -> Any:
        faults.count(name, _place_of(descriptor))
        return real(descriptor, *args)

    return called


def _on_either(faults: Faults, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def called(path: Any, length: int) -> None:
        faults.count(name, _place_of(path) if isinstance(path, int) else _place(path))
        real(path, length)

    return called


def _place(path: Any) -> str:
    return os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - what a Path does comes through the seams itself


def _place_of(descriptor: int) -> str:
    with suppress(OSError):
        return os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115 - as above
    return ""


def _begin() -> None:
    nth, code, lasting, below = os.environ[VARIABLE].split(" ", 3)
    faults = failing(int(nth), int(code), below=Path(below) if below else None, lasting=lasting == "1")
    faults.__enter__()
    _begun.append(faults)  # else it would be collected, and ended, at once


_begun: list[Any] = []
if VARIABLE in os.environ:
    _begin()
