"""The driver's own work, done by one thread at a time, where several steps are at work beside each other.

Stores, contracts, generators and the records of a run are made for one step at a time. What takes long is the workers'
work: while a thread waits for that, it is the others' turn.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class LetGo(BaseException):
    """Raised in a step that is not to go on, because another one has failed or the run is interrupted."""

    def __str__(self) -> str:
        return "another step failed, or the run was interrupted"


class Turn:
    """Whose turn it is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._over = threading.Event()

    def end(self) -> None:
        """Whoever waits, or wants to, is let go from now on."""
        self._over.set()

    def check(self) -> None:
        """Raise LetGo when nobody is to go on."""
        if self._over.is_set():
            raise LetGo

    def block(self, seconds: float) -> None:
        """Wait, while it is the others' turn."""
        with self.away():
            self._over.wait(seconds)
        self.check()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """In the block, it is this thread's turn."""
        self._take()
        try:
            yield
        finally:
            self._give()

    @contextmanager
    def away(self) -> Iterator[None]:
        """In the block, it is the others' turn; nothing changes where it was not this thread's."""
        was_ours = self._owner == threading.get_ident()
        self._give()
        try:
            yield
        finally:
            if was_ours:
                self._take()

    def _take(self) -> None:
        self._lock.acquire()
        self._owner = threading.get_ident()

    def _give(self) -> None:
        """Where it is not this thread's turn, an error that stops a thread came in between."""
        if self._owner == threading.get_ident():
            self._owner = None
            self._lock.release()
