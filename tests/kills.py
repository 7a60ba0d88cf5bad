"""A process that dies (`kill -9`) at its nth operation on the disk: before it, after it, or in the middle of a write.

Operations are counted at the seam where Python calls the system, below one folder. `with killing(blow, below=folder)`
in a process that may die; a blow at 0 only counts.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_PATHS = ("mkdir", "replace", "rename", "link", "symlink", "unlink", "rmdir", "chmod", "utime")
_DESCRIPTORS = ("write", "fsync", "ftruncate")
_CHANGING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


@dataclass(frozen=True)
class Blow:
    """When a process dies.

    Attributes:
        nth: at which operation, counted from 1; 0 for never.
        how: `before` it, `half` of the bytes of a write written (before it, for anything else), or `after` it.
    """

    nth: int = 0
    how: str = "before"


@dataclass
class Deeds:
    """What was done so far.

    Attributes:
        names: the operations that were counted, with the file's name.
        at: called with the number of each, before it.
    """

    blow: Blow
    below: str
    at: Callable[[int], None]
    names: list[str] = field(default_factory=list)

    def do(self, name: str, place: str, call: Callable[[], Any], half: Callable[[], Any] | None = None) -> Any:
        """One operation; if its turn has come, this process dies at it."""
        if not place.startswith(self.below):
            return call()
        self.names.append(f"{name} {Path(place).name}")
        self.at(len(self.names))
        if len(self.names) != self.blow.nth:
            return call()
        if self.blow.how == "after":
            call()
        elif self.blow.how == "half" and half is not None:
            half()
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("still alive")


@contextmanager
def killing(blow: Blow, *, below: Path, at: Callable[[int], None] = lambda _number: None) -> Iterator[Deeds]:
    """In the block, this process dies as `blow` says; `at` is told of each operation below the folder."""
    deeds = Deeds(blow, f"{below}{os.sep}", at)
    real = {name: getattr(os, name) for name in ("open", *_PATHS, *_DESCRIPTORS)}
    for name, replacement in _seams(deeds, real).items():
        setattr(os, name, replacement)
    try:
        yield deeds
    finally:
        for name, function in real.items():
            setattr(os, name, function)


def _seams(deeds: Deeds, real: dict[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    return {
        "open": _opening(deeds, real["open"]),
        **{name: _on_paths(deeds, name, real[name]) for name in _PATHS},
        **{name: _on_descriptors(deeds, name, real[name]) for name in _DESCRIPTORS},
    }


def _opening(deeds: Deeds, real: Callable[..., Any]) -> Callable[..., Any]:
    def opened(path: Any, flags: int, *args: Any, **options: Any) -> Any:
        if not flags & _CHANGING:
            return real(path, flags, *args, **options)
        return deeds.do("open", _place(path), lambda: real(path, flags, *args, **options))

    return opened


def _on_paths(deeds: Deeds, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def called(path: Any, *args: Any, **options: Any) -> Any:
        target = args[0] if name in ("replace", "rename") else path
        return deeds.do(name, _place(target), lambda: real(path, *args, **options))

    return called


def _on_descriptors(deeds: Deeds, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def called(descriptor: int, *args: Any) -> Any:
        half = (lambda: real(descriptor, bytes(args[0])[: len(args[0]) // 2])) if name == "write" else None
        return deeds.do(name, _place_of(descriptor), lambda: real(descriptor, *args), half)

    return called


def _place(path: Any) -> str:
    if isinstance(path, int):
        return _place_of(path)
    return os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - what a Path does comes through the seams itself


def _place_of(descriptor: int) -> str:
    with suppress(OSError):
        return os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115 - as above
    return ""
