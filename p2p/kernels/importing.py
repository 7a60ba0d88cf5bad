"""Importing one library ahead of its use, and finding out what speaks against it.

A fresh kernel shows what a library says when it is imported; forks of a process that has imported it never would. And a
fork copies neither threads nor the state of devices. So whatever shows something, starts a thread that gets over no
fork, opens a file or a device, or uses the notebook's shell, is to be imported by each kernel itself.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import os
import re
import sys
import tempfile
import threading
import types
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from p2p.analysis import is_library_path

_POOLS: Final = re.compile(r"openblas|libmkl_|libiomp")  # they shut their threads down before a fork, by pthread_atfork
_OVER_FORKS: Final = frozenset({"jemalloc_bg_thd"})  # so does jemalloc, of which pyarrow has one
_ASKED: Final = "it uses the notebook's shell when it is imported"


class Forwarding(io.TextIOBase):
    """`sys.stdout` or `sys.stderr` while libraries are imported: notes what is said; later hands on to what is there.

    A library may keep the stream that it finds (a handler of its log does): in a fork it speaks to the kernel's.

    Attributes:
        said: what was written, as long as `sys` has this as its stream.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.said = ""

    def _now(self) -> Any:
        stream = getattr(sys, self.name)
        return None if stream is self else stream

    def write(self, text: str) -> int:
        stream = self._now()
        if stream is not None:
            stream.write(text)
        else:
            self.said += text
        return len(text)

    def flush(self) -> None:
        if self._now() is not None:
            self._now().flush()

    def isatty(self) -> bool:
        return True  # as ipykernel's streams say

    encoding = "UTF-8"

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1 if self.name == "stdout" else 2


class Watched:
    """What a library does while it is imported; use within `watching`."""

    def __init__(self) -> None:
        self.streams = [Forwarding("stdout"), Forwarding("stderr")]
        self.shown: list[str] = []
        self.asked = False
        self.raw = tempfile.TemporaryFile()  # noqa: SIM115  # closed with this object

    def ask(self) -> None:
        """Something was wanted of the notebook's shell, which is not there yet."""
        self.asked = True

    def show(self, message: Warning | str, category: type[Warning], *_where: Any, **_more: Any) -> None:
        """Stands for `warnings.showwarning`, which is called for what the filters let through."""
        self.shown.append(f"{category.__name__}: {message}")

    def objection(self, before: State) -> str:
        """Why the library is not to be imported ahead; empty where nothing speaks against it."""
        said = [*self.shown, *(stream.said for stream in self.streams)]
        os.lseek(self.raw.fileno(), 0, os.SEEK_SET)
        said.append(self.raw.read().decode("utf-8", "replace"))
        first = next((text.strip() for text in said if text.strip()), "")
        if first:
            return f"it shows something when it is imported: {first.splitlines()[0]:.200}"
        if warnings.showwarning != self.show:
            return "it replaces warnings.showwarning"
        return _ASKED if self.asked else before.objection()


class State:
    """What a process is made of besides memory, at one moment."""

    def __init__(self) -> None:
        self.files = _open_files()
        self.pools = _pool_libraries()
        self.threads = _native_threads()
        self.modules = frozenset(sys.modules)

    def objection(self) -> str:
        """What has come since that a fork does not copy, or that must not be shared; empty for nothing."""
        if threading.active_count() > 1:
            names = ", ".join(t.name for t in threading.enumerate() if t is not threading.main_thread())
            return f"it starts a thread ({names})"
        cores = os.cpu_count() or 1
        allowed = len(_pool_libraries() - self.pools) * cores
        started = [name for task, name in _native_threads().items() if task not in self.threads]
        unknown = [name for name in started if name not in _OVER_FORKS]
        if len(unknown) > allowed:
            return f"it starts {len(unknown)} native threads"
        opened = sorted(_open_files() - self.files)
        if opened:
            return f"it keeps a file or device open ({opened[0]})"
        return self._own_module()

    def _own_module(self) -> str:
        """A module of the author's may be another one in the next run."""
        for name in sorted(sys.modules.keys() - self.modules):
            file = getattr(sys.modules[name], "__file__", None)
            if isinstance(file, str) and not is_library_path(file) and not name.startswith("p2p."):
                return f"it imports the module '{name}', which is no library"
        return ""


@contextmanager
def watching() -> Iterator[Watched]:
    """While the block runs, imports find what they would find in a kernel, and what they do is noted."""
    watched = Watched()
    restore = _redirected(watched.raw.fileno())
    saved = (sys.stdout, sys.stderr, warnings.showwarning, sys.modules["__main__"])
    sys.stdout, sys.stderr = watched.streams
    warnings.showwarning = watched.show
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        with _asked_for_shell(watched):
            yield watched
    finally:
        sys.stdout, sys.stderr, warnings.showwarning, sys.modules["__main__"] = saved
        restore()


def _redirected(to: int) -> Any:
    """Send what is written past Python's streams to a file; gives what undoes it."""
    kept = [os.dup(number) for number in (1, 2)]
    for number in (1, 2):
        os.dup2(to, number)

    def restore() -> None:
        for number, copy in zip((1, 2), kept, strict=True):
            os.dup2(copy, number)
            os.close(copy)

    return restore


@contextmanager
def _asked_for_shell(watched: Watched) -> Iterator[None]:
    """Let a stand-in answer whoever asks for the shell: pandas, say, decides by it how many columns it will show."""
    from IPython.core.interactiveshell import InteractiveShell

    from p2p.kernels.standin import stand_in

    shell = stand_in(watched.ask)
    for name, answer in (("initialized", True), ("instance", shell)):
        setattr(InteractiveShell, name, classmethod(lambda _cls, *_a, answer=answer, **_k: answer))
    setattr(builtins, "get_ipython", lambda: shell)  # noqa: B010  # a kernel puts it there too
    try:
        yield
    finally:
        del InteractiveShell.initialized, InteractiveShell.instance  # those of its base class come to light again
        del builtins.get_ipython  # type: ignore[attr-defined]  # put there above


def run_import(statement: str) -> str:
    """Import as a cell would; gives what it raises, or nothing."""
    try:
        exec(compile(statement, "<cell>", "exec"), {"__name__": "__main__"})  # an import statement, made by `ahead`
    except BaseException as error:  # noqa: BLE001  # each kernel will raise it anew
        return f"it cannot be imported ({type(error).__name__}: {error})"
    return ""


def _open_files() -> frozenset[str]:
    found: set[str] = set()
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the one that lists the folder
            found.add(f"{entry.name} {entry.readlink()}")
    return frozenset(text for text in found if "/proc/" not in text)


def _pool_libraries() -> frozenset[str]:
    lines = Path("/proc/self/maps").read_text(errors="replace").splitlines()
    return frozenset(line.rpartition(" ")[2] for line in lines if _POOLS.search(line.rpartition("/")[2]))


def _native_threads() -> dict[str, str]:
    found: dict[str, str] = {}
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            found[task.name] = (task / "comm").read_text().strip()
    return found
