"""What is otherwise in the kernel of a headless run, where nobody sees a failure go by."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from p2p.session.ending import end_promptly
from p2p.terminal import without_surrogates

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

PIECE: Final = 1_000_000  # characters that a stream may hold before it sends them
_PATIENCE: Final = 2.0  # seconds
_CELLS: Final = 10  # cells' worth of output that one cell sends: a notebook keeps no more of all of them


def make_headless(shell: InteractiveShell, output_limit: int, *, forked: bool = False) -> None:
    """Make a failing shell command fail its cell, endless output end, and text that is no Unicode harmless.

    In a notebook that somebody looks at, `!command` fails without an error, as IPython has it.

    Args:
        shell: the kernel's.
        output_limit: bytes of output that a notebook's cell may keep.
        forked: the kernel's process was forked, and whoever did so ends it.
    """
    shell.system_raise_on_error = True
    session = getattr(getattr(shell, "kernel", None), "session", None)
    if session is not None:
        session.pack = tolerant(session.pack)
    throttles = [Throttle(stream, output_limit * _CELLS) for stream in (sys.stdout, sys.stderr)]

    def begin(_info: object) -> None:
        for throttle in throttles:
            throttle.reset()

    shell.events.register("pre_run_cell", begin)
    if getattr(shell, "kernel", None) is not None:
        atexit.register(end_control)
        if not forked:
            _end_promptly()


def _end_promptly() -> None:
    from ipykernel.kernelapp import IPKernelApp

    if IPKernelApp.initialized():
        end_promptly(IPKernelApp.instance())


def end_control() -> None:
    """End the thread that hears of the shutdown, while there is still one to send what it has to say.

    Exit handlers are called last first, so this comes before ipykernel's own. That ends the thread which sends, then
    waits for this one; and where this one has just begun to wait for the other, both wait until the kernel is killed.
    """
    from ipykernel.kernelapp import IPKernelApp

    thread = IPKernelApp.instance().control_thread if IPKernelApp.initialized() else None
    if thread is not None and thread.is_alive():
        thread.stop()
        thread.join(_PATIENCE)


def tolerant(pack: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    """A packer of messages for lone surrogates too: ipykernel would lose the message, and the run wait for ever."""

    def packed(message: Any) -> bytes:
        try:
            return pack(message)
        except UnicodeEncodeError:
            return pack(without_surrogates(message))

    return packed


class Throttle:
    """Lets a stream send in pieces, no more of a cell than could be kept, and nothing where nothing was written.

    Otherwise what a loop prints in an instant is one message, which costs its reader several times its size. And the
    kernel flushes both streams twice a cell: each time, it waits until another thread has come and gone.
    """

    def __init__(self, stream: Any, limit: int) -> None:
        self._write = stream.write
        self._flush = stream.flush
        self._limit = limit
        self._waiting = 0
        self._left = limit
        self._written = True
        stream.write = self.write
        stream.flush = self.flush

    def reset(self) -> None:
        """A new cell begins."""
        self._left = self._limit

    def write(self, text: Any) -> Any:
        """Stands for the stream's own `write`."""
        if not isinstance(text, str):
            return self._write(text)  # it says what is wrong with that
        for start in range(0, min(len(text), self._left), PIECE):
            self._send(text[start : start + PIECE][: self._left])
        return len(text)

    def flush(self) -> None:
        """Stands for the stream's own `flush`."""
        if self._written:
            self._written = False  # first: another thread may write meanwhile
            self._flush()

    def _send(self, piece: str) -> None:
        self._written = True
        self._left -= len(piece)
        self._waiting += len(piece)
        self._write(piece)
        if self._waiting >= PIECE:
            self._waiting = 0
            self._flush()
