"""How long user code may wait for a store that does not answer: not for long, and not again and again."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from p2p.tracking.passing import Unreachable, passes

_FREE = 1.0  # seconds that a call may take and still count as answered well
_AGAIN = 60.0  # seconds until a store that did not answer is asked once more


class Patience:
    """Asks a store, within a budget for all calls that it answers late or not at all.

    Args:
        seconds: the budget; an answer in good time restores it.
    """

    def __init__(self, seconds: float = 4.0) -> None:
        self._seconds = seconds
        self._left = seconds
        self._spent_at = 0.0

    def ask(self, call: Callable[[], Any]) -> Any:
        """What `call` gives. Raises what it raises, and Unreachable where the store does not answer in time."""
        if self._left <= 0 and time.monotonic() - self._spent_at > _AGAIN:
            self._left = _FREE
        if self._left <= 0:
            raise Unreachable("it did not answer before")
        began = time.monotonic()
        try:
            answer = _within(self._left, call)
        except Exception as error:
            if passes(error):
                self._take(self._seconds)
            raise
        self._take(time.monotonic() - began)
        return answer

    def _take(self, spent: float) -> None:
        self._left = self._seconds if spent < _FREE else self._left - spent
        self._spent_at = time.monotonic()


def _within(seconds: float, call: Callable[[], Any]) -> Any:
    """Call it in a thread, which is left to itself where it takes longer: nothing can interrupt a waiting socket."""
    answers: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()

    def answer() -> None:
        try:
            answers.put((call(), None))
        except BaseException as error:  # noqa: BLE001  # it is raised in the thread that asked
            answers.put((None, error))

    threading.Thread(target=answer, name="p2p-asking", daemon=True).start()
    try:
        found, error = answers.get(timeout=seconds)
    except queue.Empty:
        raise Unreachable(f"it has not answered for {seconds:.0f} s") from None
    if error is not None:
        raise error
    return found
