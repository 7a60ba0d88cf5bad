"""The warm parent: a process that has imported what a notebook needs, and forks a kernel for each run.

It has one thread and opens no address: it is spoken to over a socket that it inherits. It ends when that is closed, so
with its owner; kernels that are left notice (ipykernel looks at its parent). Knows neither notebooks nor runs.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import selectors
import signal
import socket
import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Final

from p2p.analysis import cell_names, digest_source
from p2p.cache.code import package_version
from p2p.errors import P2PError
from p2p.kernels import child, wire
from p2p.kernels.importing import State, run_import, watching
from p2p.kernels.stash import Stash
from p2p.store import constants

# What a kernel with p2p has loaded when its first cell runs.
_BASE: Final = (
    "ipykernel.kernelapp", "ipykernel.debugger", "ipykernel.ipkernel", "ipykernel.zmqshell",
    "IPython.core.completerlib", "IPython.core.debugger", "IPython.core.logger", "IPython.core.oinspect",
    "IPython.extensions.storemagic", "tornado.locks", "tornado.platform.asyncio", "tornado.queues",
    "email.parser", "encodings.ascii", "encodings.idna", "encodings.latin_1", "faulthandler",
    "p2p.magics.extension", "p2p.notebook.document",
)  # fmt: skip
_INLINE: Final = "module://matplotlib_inline.backend_inline"
_Fork = tuple[wire.Message, list[int]]


class Parent:
    """Serves one owner.

    Args:
        control: the socket to it.

    Attributes:
        stash: the modules that were imported ahead.
        environment: what the libraries of each kernel have set when they were imported.
    """

    def __init__(self, control: socket.socket) -> None:
        self.stash = Stash()
        self.environment: dict[str, str] = {}
        self._control = control
        self._kernels: dict[int, None] = {}

    def make_ready(self, statements: Sequence[str], cells: Sequence[str], directory: str) -> bool:
        """Import what is to be imported ahead, and say so; or say what must not be, as this process is spoilt then."""
        os.chdir(directory)
        before = dict(os.environ)
        for module in _BASE:
            with contextlib.suppress(ImportError):
                importlib.import_module(module)
        self.environment = _new(before)
        before = dict(os.environ)
        _as_in_a_kernel()
        for statement in statements:
            why = self._import(statement)
            if why:
                wire.send(self._control, {"spoilt": statement, "why": why})
                return False
        loaded = frozenset(sys.modules)
        _foresee(statements, cells)
        self.stash.add(sys.modules.keys() - loaded)  # a kernel loads them when it looks at what was foreseen
        os.environ.clear()
        os.environ.update(before)
        gc.collect()
        gc.freeze()
        wire.send(self._control, {"ready": True})
        return True

    def _import(self, statement: str) -> str:
        with watching() as watched:
            before, environment, filters = State(), dict(os.environ), [*warnings.filters]
            why = run_import(statement) or watched.objection(before)
        added = [one for one in warnings.filters if one not in filters]
        self.stash.add(sys.modules.keys() - before.modules, _new(environment), added)
        return why

    def serve(self) -> _Fork | None:
        """Fork for each request. Returns in a fork, with its request, or when the owner is gone."""
        wake, woken = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(woken)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(wake, selectors.EVENT_READ)
            while True:
                for key, _events in selector.select():
                    if key.fd == wake:
                        self._reap(wake)
                        continue
                    received = wire.receive(self._control)
                    if received is None or self._answer(*received):
                        return received

    def _answer(self, request: wire.Message, descriptors: list[int]) -> bool:
        """Fork, and tell the owner; True in the fork."""
        pid, refused = -1, self.stash.shadowed(request["cwd"])
        if not refused:
            try:
                pid = os.fork()
            except OSError as error:
                refused = f"no process could be forked ({error.strerror})"
        if pid == 0:
            return True
        if pid > 0:
            self._kernels[pid] = None
        for number in descriptors:
            os.close(number)
        self._tell({"id": request["id"], "pid": pid, "refused": refused})
        return False

    def _reap(self, wake: int) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(wake, 4096)
        for pid in [*self._kernels]:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self._kernels[pid]
                self._tell({"ended": pid, "code": os.waitstatus_to_exitcode(status)})

    def _tell(self, message: wire.Message) -> None:
        with contextlib.suppress(OSError):  # the owner is gone: the next look at the socket says so too
            wire.send(self._control, message)


def _foresee(statements: Sequence[str], cells: Sequence[str]) -> None:
    """Find out once what each kernel would find out: constants, versions of libraries, what the text of cells tells."""
    constants.look()
    for statement in statements:
        package_version(statement.split()[1].partition(".")[0])
    for cell in cells:
        with contextlib.suppress(P2PError):  # the cell will raise its own error
            cell_names(cell)
            digest_source(cell)


def _as_in_a_kernel() -> None:
    """Set what IPython sets before the first cell runs, for libraries that look at it when they are imported."""
    from ipykernel.zmqshell import ZMQInteractiveShell

    ZMQInteractiveShell.init_environment(None)  # type: ignore[no-untyped-call, arg-type]  # it uses nothing of the shell
    os.environ.setdefault("MPLBACKEND", _INLINE)


def _new(before: Mapping[str, str]) -> dict[str, str]:
    """The variables that have been set since."""
    return {name: value for name, value in os.environ.items() if before.get(name) != value}


def main(descriptor: int) -> None:
    """Serve the owner at the other end of a socket; in a fork, be the kernel."""
    control = socket.socket(fileno=descriptor)
    begun = wire.receive(control)
    if begun is None:
        return
    setup: Mapping[str, Any] = begun[0]
    parent = Parent(control)
    fork = parent.serve() if parent.make_ready(**setup) else None
    if fork is not None:
        control.detach()  # its descriptor is closed with all others, and its number soon another's
        child.become(*fork, parent.stash, parent.environment)
