"""What a forked process does to be a kernel like one that was started: nothing of its parent's is left in it.

Knows no socket of the parent's, and does not return: it runs ipykernel as `ipykernel_launcher` does, and ends the
process.
"""

from __future__ import annotations

import fcntl
import importlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from p2p.kernels.stash import Stash
from p2p.kernels.waiting import WaitingForRun, take_arguments, take_environment
from p2p.session.ending import end

_ABOVE: Final = 64  # descriptors from here on are out of the way while those of the kernel are put in their places


def become(request: dict[str, Any], descriptors: Sequence[int], stash: Stash, environment: Mapping[str, str]) -> None:
    """Run the kernel that is asked for, to its end and that of the process.

    Args:
        request: `cmd`, `arguments`, `env` and `cwd`, as for a process, `started`, what the kernel is told of it, and
            `waits` where it is to wait for its run.
        descriptors: for stdout, stderr, and the one on which it says that it is ready; of one that waits, the socket on
            which it is told of its run.
        stash: what was imported ahead.
        environment: what the kernel's own libraries have set when they were imported.
    """
    os.setsid()
    waiting = WaitingForRun(stash, environment) if request["waits"] else None
    ready = _take_descriptors(*(waiting.streams if waiting else ()), *descriptors)
    os.chdir(request["cwd"])
    take_environment(request, environment, ready)
    take_arguments(request)
    request.clear()  # secrets are in the environment, from which the session takes them out
    _forget()
    stash.hide()
    _run(stash, waiting, ready)


def _take_descriptors(stdout: int, stderr: int, ready: int) -> int:
    """Put the descriptors in their places and close all others; gives where the third is now."""
    closed, writing = os.pipe()  # a kernel reads the end of a file where its stdin should be
    os.close(writing)
    out, err, told, nothing = (fcntl.fcntl(number, fcntl.F_DUPFD, _ABOVE) for number in (stdout, stderr, ready, closed))
    for number, place in ((nothing, 0), (out, 1), (err, 2), (told, 3)):
        os.dup2(number, place, inheritable=place != 3)
    os.closerange(4, 1 + max(int(entry.name) for entry in Path("/proc/self/fd").iterdir()))
    return 3


def _forget() -> None:
    """What a fork has of its parent besides memory: signal handlers, random states, what is known of folders."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    numpy = sys.modules.get("numpy.random")
    if numpy is not None:
        numpy.seed()  # Python's own generator seeds itself in a fork
    importlib.invalidate_caches()


def _run(stash: Stash, waiting: WaitingForRun | None, descriptor: int) -> None:
    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance()
    app.parent_handle = os.getppid()  # ipykernel reads the variable when it is imported
    if waiting is not None:
        waiting.hold(app, descriptor)
    app.initialize()  # type: ignore[no-untyped-call]  # it has no types
    libraries = frozenset(sys.modules)
    app.start()  # type: ignore[no-untyped-call]  # it has no types
    end(libraries | stash.names)
