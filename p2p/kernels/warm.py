"""Which kernels can be forked: one parent for each notebook's libraries, started when it is first needed."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from p2p.kernels.ahead import imports_ahead
from p2p.kernels.owner import ForkedProcess, NoFork, Parent, Spoilt
from p2p.kernels.waiting import CONNECTION_FILE, LAUNCHER
from p2p.session.started import STARTED
from p2p.tracking.facts import installed_at

_MOST: Final = 4  # parents that are kept; each has its libraries in memory
# What differs from run to run because p2p and Jupyter say it; MLflow reads its own when they are needed.
_OF_THE_RUN: Final = frozenset({
    STARTED, "P2P_ATTACH", "P2P_RUN", "P2P_SECRETS", "JPY_PARENT_PID", "JPY_SESSION_NAME", "MLFLOW_RUN_ID",
    "MLFLOW_EXPERIMENT_ID",
})  # fmt: skip


@dataclass(frozen=True)
class KernelRequest:
    """A kernel to be started.

    Attributes:
        command: the whole command that would start it.
        environment, directory: the process's.
        cells: the text of the notebook's code cells.
        stdout, stderr, ready: descriptors.
        any_address: it may take another one than its connection file names.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    cells: Sequence[str]
    stdout: int
    stderr: int
    ready: int
    any_address: bool = False


@dataclass
class _Kept:
    """A parent with what it was started for; `lock` is held while it starts.

    Attributes:
        wanted: the environment of the last request, where that was another one.
        installed: the folders of libraries as they were.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    parent: Parent | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    wanted: Mapping[str, str] | None = None
    installed: object = None
    ahead: tuple[str, ...] = ()
    not_ahead: Mapping[str, str] = field(default_factory=dict)


class WarmKernels:
    """Forks kernels for the runs of one process, from any of its threads; use as a context, or `close` it.

    Args:
        ahead: when a kernel is given, begin another one for the run that comes next.
    """

    def __init__(self, *, ahead: bool = False) -> None:
        self._ahead = ahead
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, ...], _Kept] = OrderedDict()
        self._refused: dict[str, str] = {}
        self._retired: list[Parent] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.close()

    def fork(self, request: KernelRequest) -> ForkedProcess:
        """The kernel, forked.

        Raises:
            NoFork: it has to be started; the message says why.
        """
        interpreter, arguments = _taken_apart(request.command)
        statements = imports_ahead(request.cells, request.directory)
        kept = self._kept_for((*interpreter, str(request.directory), *_without_file(arguments), *statements))
        with kept.lock:
            parent = self._parent(kept, interpreter, request, statements)
        started = {"warm": True, "ahead": kept.ahead, "not_ahead": kept.not_ahead}
        asked = {
            "cmd": list(request.command), "arguments": arguments, "env": dict(request.environment),
            "cwd": str(request.directory), "started": started,
        }  # fmt: skip
        descriptors = (request.stdout, request.stderr, request.ready)
        run = {**asked, "started": {**started, "waited": True}}
        kernel = parent.hand_over(run, descriptors) if request.any_address else None
        kernel = kernel or parent.fork(asked, descriptors)
        if self._ahead:
            parent.begin_waiting(_of_no_run(asked))
        return kernel

    def close(self) -> None:
        """End the parents."""
        with self._lock:
            kept, self._kept = [*self._kept.values()], OrderedDict()
        for one in kept:
            with one.lock:
                self._retire(one)
        for parent in self._retired:
            parent.close()

    def _kept_for(self, key: tuple[str, ...]) -> _Kept:
        with self._lock:
            kept = self._kept.setdefault(key, _Kept())
            self._kept.move_to_end(key)
            return kept

    def _parent(
        self, kept: _Kept, interpreter: Sequence[str], request: KernelRequest, statements: Sequence[str]
    ) -> Parent:
        environment = {k: v for k, v in request.environment.items() if k not in _OF_THE_RUN}
        installed = libraries_at()
        changed = _changed(kept.environment, environment) if kept.parent is not None else []
        stale = kept.parent is not None and (not kept.parent.alive or installed != kept.installed)
        if changed and environment != kept.wanted:
            # It may be another one each time; one that comes again is worth a parent of its own.
            kept.wanted = environment
            raise NoFork(f"the environment has changed since the libraries were imported: {', '.join(changed)}")
        if changed or stale:
            self._retire(kept)
        if kept.parent is None:
            self._start(kept, interpreter, environment, request, statements)
            kept.environment, kept.installed, kept.wanted = environment, installed, None
        assert kept.parent is not None
        return kept.parent

    def _retire(self, kept: _Kept) -> None:
        """Let a parent go as soon as none of its kernels runs."""
        with self._lock:
            if kept.parent is not None:
                self._retired.append(kept.parent)
                kept.parent = None
            idle = [parent for parent in self._retired if parent.idle]
            self._retired = [parent for parent in self._retired if parent not in idle]
        for parent in idle:
            parent.close()
        for parent in [*self._retired]:
            parent.stop_waiting()

    def _start(
        self, kept: _Kept, interpreter: Sequence[str], environment: Mapping[str, str], request: KernelRequest,
        statements: Sequence[str],
    ) -> None:  # fmt: skip
        """Start a parent, as often as it takes to find out what it must not import."""
        while kept.parent is None:
            ahead = tuple(statement for statement in statements if statement not in self._refused)
            try:
                kept.parent = Parent(interpreter, environment, request.directory, ahead, request.cells)
            except Spoilt as spoilt:
                self._refused[spoilt.statement] = spoilt.why
        kept.ahead = ahead
        kept.not_ahead = {one: self._refused[one] for one in statements if one in self._refused}
        self._let_go_of_others(kept)

    def _let_go_of_others(self, kept: _Kept) -> None:
        """Those that were not used for longest end when there are too many, unless a kernel of theirs runs."""
        with self._lock:
            idle = [key for key, one in self._kept.items() if one is not kept and one.parent and one.parent.idle]
            surplus = [self._kept.pop(key) for key in idle[: max(0, len(self._kept) - _MOST)]]
        for one in surplus:
            self._retire(one)


def _of_no_run(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What a kernel is started with that waits for its run."""
    env = {name: value for name, value in asked["env"].items() if name not in _OF_THE_RUN}
    return {**asked, "env": env, "arguments": _without_file(asked["arguments"])}


def _without_file(arguments: Sequence[str]) -> list[str]:
    """Without the connection file, which is another in each run."""
    at = arguments.index(CONNECTION_FILE)
    return [*arguments[:at], *arguments[at + 2 :]]


def _taken_apart(command: Sequence[str]) -> tuple[list[str], list[str]]:
    """The command's interpreter with its options, and the arguments of the launcher.

    Raises:
        NoFork: it is not this Python that runs ipykernel, or this is no system on which forks are to be trusted.
    """
    if not sys.platform.startswith("linux"):
        raise NoFork(f"kernels are forked on Linux alone, and this is {sys.platform}")
    if command[0] != sys.executable:
        raise NoFork(f"its kernel runs in another Python, {command[0]}")
    at = command.index("-m") if "-m" in command else -1
    if at < 0 or command[at + 1] != LAUNCHER or CONNECTION_FILE not in command[at + 2 : -1]:
        raise NoFork("its kernel is not ipykernel's own")
    return [*command[:at]], [*command[at + 2 :]]


def libraries_at() -> list[tuple[str, int]]:
    """The folders of libraries, and when something was last put into each, or taken out of it."""
    return [(folder, at) for folder, at in installed_at() if Path(folder).name in ("site-packages", "dist-packages")]


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
