"""What a step really touches while it runs: files, network, other programs. Python tells through its audit events.

What a library opens in C without telling Python is not seen here; the text has to show it (see `doubts`). A worker that
runs a step's body looks there, and what it saw is told here.
"""

from __future__ import annotations

import functools
import os
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.bind", "urllib.Request", "http.client.connect")
_PROGRAMS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty")
_MLFLOWS = ("mlflow.db", "artifacts")
_FILES = ("os.listdir", "os.scandir", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "shutil.copyfile",
          "shutil.move", "shutil.rmtree", "sqlite3.connect", "glob.glob")  # fmt: skip


@functools.cache
def _library_folders() -> tuple[str, ...]:
    """Where Python and its packages live, and what they keep for themselves: their content goes with their version."""
    home = Path.home()
    folders: list[str | Path] = [
        *sysconfig.get_paths().values(), sys.prefix, sys.base_prefix, "/proc", "/sys", "/dev", "/usr/share", "/etc",
        "/usr/lib", "/lib", home / ".cache", home / ".config" / "matplotlib", home / ".ipython",
        os.environ.get("MPLCONFIGDIR") or "/proc",
    ]  # fmt: skip
    return tuple(dict.fromkeys(f"{Path(folder).resolve()}{os.sep}" for folder in folders))


class Touched:
    """What was seen.

    Args:
        files: the files that may be read: those that the step declares.
        own: beginnings of resolved paths, of files of our own, which do not count.
    """

    def __init__(self, files: Sequence[str], own: tuple[str, ...]) -> None:
        self.seen: dict[str, None] = {}
        self._declared = {str(Path(name).resolve()) for name in files}
        self._ignored = (*_library_folders(), *own)
        self._thread = threading.get_ident()

    def sees(self) -> bool:
        """Whether what this thread does may be the step's."""
        return threading.get_ident() == self._thread or not threading.current_thread().name.startswith((*_others,))

    def take(self, event: str, arguments: tuple[Any, ...]) -> None:
        """One audit event."""
        if event == "open":
            self._path("opened", arguments[0], writes=writes(arguments))
        elif event in _FILES:
            self._path(event, arguments[0] if arguments else "", writes=event not in ("os.listdir", "os.scandir"))
        elif event in _NETWORK:
            self.seen.setdefault(f"it used the network ({event})")
        elif event in _PROGRAMS:
            self.seen.setdefault(f"it started another program ({event})")

    def _path(self, what: str, path: Any, *, writes: bool) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return  # a file descriptor: it was opened before
        name = os.path.realpath(os.fsdecode(path))
        if what == "os.mkdir" and os.path.isdir(name):  # noqa: PTH112  # nothing will change
            return
        if name.startswith(self._ignored) or (name in self._declared and not writes):
            return
        if name.startswith(os.path.realpath(tempfile.gettempdir()) + os.sep + "ipykernel_"):
            return  # where a kernel keeps the sources of its cells
        self.seen.setdefault(f"it {what} {name}" + (" for writing" if writes and what == "opened" else ""))


def writes(arguments: tuple[Any, ...]) -> bool:
    """Whether the audit event `open` with these arguments opens a file for writing."""
    mode = arguments[1] if len(arguments) > 1 else None
    flags = arguments[2] if len(arguments) > 2 and isinstance(arguments[2], int) else 0
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


_watching: list[Touched] = []
_others: dict[str, None] = {}  # beginnings of the names of threads that do no step's work
_installed: list[bool] = []


_busy = threading.local()  # what we do ourselves, in this thread, is not looked at


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching or getattr(_busy, "here", False) or _looks_for_modules(event, arguments):
        return
    _busy.here = True
    try:
        for touched in [touched for touched in _watching if touched.sees()]:
            touched.take(event, arguments)
    finally:
        _busy.here = False


def _looks_for_modules(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether Python or a library lists a folder of the import path, as `import` does with the working directory."""
    if event not in ("os.listdir", "os.scandir") or not arguments or not isinstance(arguments[0], str | type(None)):
        return False
    asking = sys._getframe(2).f_code.co_filename
    if not asking.startswith(("<frozen importlib", *_library_folders())):
        return False
    return os.path.realpath(arguments[0] or ".") in {os.path.realpath(entry or ".") for entry in sys.path}


@contextmanager
def watched(files: Sequence[str], own: tuple[str, ...]) -> Iterator[Touched]:
    """In the block, what this process touches is noted."""
    if not _installed:
        sys.addaudithook(_hook)
        _installed.append(True)
    touched = Touched(files, own)
    _watching.append(touched)
    try:
        yield touched
    finally:
        _watching.remove(touched)


def saw(what: Iterable[str]) -> None:
    """Note what was seen of the step at work elsewhere, where its body runs."""
    for touched in _watching:
        touched.seen.update(dict.fromkeys(what))


def look_away_from(threads: Iterable[str]) -> None:
    """Note nothing that threads do whose names begin so, unless one of them is what runs the step."""
    _others.update(dict.fromkeys(threads))


def own_paths(run: Path) -> tuple[str, ...]:
    """Beginnings of the paths of p2p's and MLflow's files, by a run's directory: no step depends on them."""
    ours = run.parents[1]
    return tuple(str(path.resolve()) for path in (ours, *(ours.parent / name for name in _MLFLOWS)))
