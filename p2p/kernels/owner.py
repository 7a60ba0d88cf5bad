"""The owner's end of the socket to a warm parent, and the processes that it forks, as a Popen would show them."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import threading
import weakref
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final

from p2p.kernels import wire
from p2p.tracking.processes import Descendants

_MAIN: Final = "import sys; del sys.path[0]; from p2p.kernels.parent import main; main({descriptor})"
_LOST: Final = -9  # what a kernel's end is told as when nobody is left who could tell it


class NoFork(Exception):  # not an error of the user's: a kernel is started instead
    """The parent forks nothing for this request; the message says why."""


class Spoilt(NoFork):
    """A library must not be imported ahead, and this parent has done it.

    Args:
        statement: the import.
        why: what speaks against it.
    """

    def __init__(self, statement: str, why: str) -> None:
        super().__init__(f"{statement}: {why}")
        self.statement = statement
        self.why = why


class ForkedProcess:
    """A kernel that was forked: what LocalProvisioner needs of a Popen.

    Attributes:
        exited: its exit code, as soon as it has ended.
        connection: where it is spoken to, if it has not taken the address that was meant for it.
    """

    stdin = stdout = stderr = None
    connection: Mapping[str, Any] | None = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.exited: Future[int] = Future()

    def poll(self) -> int | None:
        return self.exited.result() if self.exited.done() else None

    def wait(self, timeout: float | None = None) -> int:
        return self.exited.result(timeout)

    def send_signal(self, number: int) -> None:
        if not self.exited.done():
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class WaitingKernel:
    """A kernel that was forked ahead of its run, and waits to be told of it.

    Args:
        told: the socket on which it is; when it is closed, the kernel ends.

    Attributes:
        process: it, as soon as it was forked.
    """

    def __init__(self, told: socket.socket) -> None:
        self._told = told
        self.process: Future[ForkedProcess] = Future()

    @property
    def pid(self) -> int | None:
        done = self.process.done() and self.process.exception() is None
        return self.process.result().pid if done else None

    def hand_over(self, run: Mapping[str, Any], descriptors: Sequence[int]) -> ForkedProcess | None:
        """Tell it of its run; gives it, with the address that it has taken, or None where it has died.

        Raises:
            NoFork: it cannot be used for this run.
        """
        with self._told:
            try:
                wire.send(self._told, dict(run), descriptors)
                answer = wire.receive(self._told)
            except OSError:
                answer = None
        if answer is None:
            return None
        if "refused" in answer[0]:
            raise NoFork(answer[0]["refused"])
        process = self.process.result()
        process.connection = answer[0]["connection"]
        return process

    def close(self) -> None:
        """Let it end."""
        self._told.close()


class Parent:
    """A warm parent, started.

    Args:
        interpreter: the command that runs Python, with its options.
        environment: the parent's, which is that of its kernels.
        directory: where they work.
        statements: what to import ahead.
        cells: the text of the notebook's code cells.

    Raises:
        Spoilt: one of the libraries must not be imported ahead.
        NoFork: it did not start.
    """

    def __init__(
        self, interpreter: Sequence[str], environment: Mapping[str, str], directory: Path, statements: Sequence[str],
        cells: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self._socket, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [*interpreter, "-c", _MAIN.format(descriptor=theirs.fileno())], env=dict(environment), cwd=directory,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),), start_new_session=True,
            )  # fmt: skip
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._asked: dict[int, Future[ForkedProcess]] = {}
        self._kernels: dict[int, ForkedProcess] = {}
        self._waiting: WaitingKernel | None = None
        self._make_ready({"statements": list(statements), "cells": list(cells), "directory": str(directory)})
        threading.Thread(target=self._listen, name="p2p-warm", daemon=True).start()
        self._finalizer = weakref.finalize(self, _end, self._socket, self.process)

    def _make_ready(self, setup: wire.Message) -> None:
        answer = None
        try:
            wire.send(self._socket, setup)
            answer = wire.receive(self._socket)
        except BaseException:
            _end(self._socket, self.process)
            raise
        message = answer[0] if answer is not None else {}
        if "ready" not in message:
            _end(self._socket, self.process)
            if "spoilt" in message:
                raise Spoilt(message["spoilt"], message["why"])
            raise NoFork("the process that forks kernels did not start")

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    @property
    def idle(self) -> bool:
        """Whether no kernel of its is at work or asked for; one may wait for a run."""
        with self._lock:
            waiting = self._waiting.pid if self._waiting is not None else None
            return not self._asked and not self._kernels.keys() - {waiting}

    def fork(self, request: Mapping[str, Any], descriptors: Sequence[int]) -> ForkedProcess:
        """A new kernel; see `child.become` for the request.

        Raises:
            NoFork: it forks none.
        """
        answer: Future[ForkedProcess] = Future()
        self._ask({**request, "waits": False}, descriptors, answer)
        return answer.result()

    def begin_waiting(self, request: Mapping[str, Any]) -> None:
        """Fork a kernel that waits for its run, unless one waits already."""
        ours, theirs = socket.socketpair()
        with self._lock:
            if self._waiting is not None:
                ours.close()
                theirs.close()
                return
            self._waiting = waiting = WaitingKernel(ours)
        with theirs, contextlib.suppress(NoFork):
            self._ask({**request, "waits": True}, [theirs.fileno()], waiting.process)

    def hand_over(self, run: Mapping[str, Any], descriptors: Sequence[int]) -> ForkedProcess | None:
        """The kernel that waits, told of its run; None where none waits, or it has died.

        Raises:
            NoFork: it cannot be used for this run.
        """
        with self._lock:
            waiting, self._waiting = self._waiting, None
        return waiting.hand_over(run, descriptors) if waiting is not None else None

    def stop_waiting(self) -> None:
        """Let the kernel end that waits, if one does."""
        with self._lock:
            waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.close()

    def _ask(self, request: Mapping[str, Any], descriptors: Sequence[int], answer: Future[ForkedProcess]) -> None:
        try:
            with self._lock:
                number = next(self._numbers)
                self._asked[number] = answer
                wire.send(self._socket, {**request, "id": number}, descriptors)
        except OSError:
            raise NoFork("the process that forks kernels has died") from None

    def close(self) -> None:
        """Let it go; it ends at once, and with it the kernels that still run, with all that they have started."""
        self.stop_waiting()
        with self._lock:
            pids = [*self._kernels]
        started = [Descendants.of(pid) for pid in pids]
        self._finalizer()
        for processes in started:
            processes.kill()

    def _listen(self) -> None:
        while (received := wire.receive(self._socket)) is not None:
            message = received[0]
            with self._lock:
                if "ended" in message:
                    self._kernels.pop(message["ended"]).exited.set_result(message["code"])
                else:
                    self._take_answer(message)
        self._lose_all()

    def _take_answer(self, message: wire.Message) -> None:
        answer = self._asked.pop(message["id"])
        if message["refused"]:
            answer.set_exception(NoFork(message["refused"]))
            return
        kernel = self._kernels[message["pid"]] = ForkedProcess(message["pid"])
        answer.set_result(kernel)

    def _lose_all(self) -> None:
        """The parent is gone: its kernels end by themselves, and nobody hears of it."""
        with self._lock:
            for answer in self._asked.values():
                answer.set_exception(NoFork("the process that forks kernels has died"))
            for kernel in self._kernels.values():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(kernel.pid, signal.SIGKILL)
                kernel.exited.set_result(_LOST)
            self._asked.clear()
            self._kernels.clear()


def _end(control: socket.socket, process: subprocess.Popen[bytes]) -> None:
    """Close the socket, at which the process ends, and see to it that it does."""
    with contextlib.suppress(OSError):
        control.shutdown(socket.SHUT_RDWR)  # wakes the thread that listens, too
    control.close()
    try:
        process.wait(5.0)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
