"""In a forked process: a kernel that is all but ready before there is a run for it, and is told of it when there is.

What ipykernel makes before it loads extensions has nothing to do with a run: sockets, threads, the shell. So it is made
while the run before is still at work. What a fresh kernel would find when its run begins is found then: the directory,
modules of the author's in it, the run's own part of the environment, its streams and its connection file.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from p2p.kernels import wire
from p2p.kernels.stash import Stash
from p2p.session.started import STARTED

LAUNCHER: Final = "ipykernel_launcher"
CONNECTION_FILE: Final = "-f"


class WaitingForRun:
    """Holds a kernel until it is told of its run.

    Args:
        stash: what was imported ahead.
        environment: what the kernel's own libraries have set when they were imported.

    Attributes:
        streams: descriptors that stand for stdout and stderr until then.
    """

    def __init__(self, stash: Stash, environment: Mapping[str, str]) -> None:
        self.streams = [os.memfd_create(name) for name in ("stdout", "stderr")]
        self._places = [_place(number) for number in self.streams]
        self._stash = stash
        self._environment = environment
        self._before: dict[str, str] = {}

    def hold(self, app: Any, descriptor: int) -> None:
        """Let `app.initialize` stop before it loads extensions.

        Args:
            app: ipykernel's; it binds the ports that the system gives it, and writes no connection file.
            descriptor: of the socket on which the run is told.
        """
        go_on = app.init_extensions

        def take_run_and_go_on() -> None:
            self._take_run(app, socket.socket(fileno=descriptor))
            go_on()

        self._before = dict(os.environ)
        app.init_connection_file = app.write_connection_file = lambda: None
        app.init_extensions = take_run_and_go_on

    def _take_run(self, app: Any, owner: socket.socket) -> None:
        with owner:
            received = wire.receive(owner)
            if received is None:  # there will be no run
                os._exit(0)
            request, (stdout, stderr, ready) = received
            refused = self._stash.shadowed(request["cwd"])
            if refused:
                wire.send(owner, {"refused": refused})
                os._exit(0)
            os.chdir(request["cwd"])
            importlib.invalidate_caches()
            self._take_streams([stdout, stderr])
            os.set_inheritable(ready, False)
            made = {name: value for name, value in os.environ.items() if self._before.get(name) != value}
            take_environment(request, {**self._environment, **made}, ready)
            take_arguments(request)
            app.connection_file = request["arguments"][request["arguments"].index(CONNECTION_FILE) + 1]
            wire.send(owner, {"connection": _connection(app)})

    def _take_streams(self, real: Sequence[int]) -> None:
        """Put the run's streams wherever ipykernel has put what stood for them, with what was written to it."""
        for stream in (sys.__stdout__, sys.__stderr__):
            if stream is not None:
                stream.flush()
        numbers = [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]
        for stood, given in zip(self._places, real, strict=True):
            known = [number for number in numbers if _place(number) == stood]
            os.write(given, os.pread(known[0], 65_536, 0))
            for number in known:
                os.dup2(given, number, inheritable=os.get_inheritable(number))
            os.close(given)


def take_environment(request: Mapping[str, Any], libraries: Mapping[str, str], ready: int) -> None:
    """Let the environment be the run's.

    Args:
        request: see `child.become`.
        libraries: what the kernel's libraries have set.
        ready: the descriptor on which the kernel says that it is ready.
    """
    started = json.dumps({**request["started"], "ready": ready})
    os.environ.clear()
    os.environ.update({**request["env"], "JPY_PARENT_PID": str(os.getppid()), **libraries, STARTED: started})


def take_arguments(request: Mapping[str, Any]) -> None:
    """Let `sys.argv` and `sys.orig_argv` be those of a process that was started with the request's command."""
    spec = importlib.util.find_spec(LAUNCHER)
    sys.argv[:] = [str(spec.origin) if spec is not None else LAUNCHER, *request["arguments"]]
    sys.orig_argv[:] = request["cmd"]


def _connection(app: Any) -> dict[str, Any]:
    """What a client needs to speak to the kernel, as its connection file has it."""
    ports = {name: getattr(app, name) for name in ("shell_port", "iopub_port", "stdin_port", "hb_port", "control_port")}
    session = app.session
    return {
        **ports, "ip": app.ip, "transport": app.transport, "key": session.key.decode("ascii"),
        "signature_scheme": session.signature_scheme,
    }  # fmt: skip


def _place(descriptor: int) -> tuple[int, int] | None:
    """The file that a descriptor is of; None where there is none any more."""
    try:
        found = os.fstat(descriptor)
    except OSError:  # the one that lists the folder
        return None
    return found.st_dev, found.st_ino
