"""Showing a step's error once, as IPython itself would: not that of an attempt that is tried again."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any

from p2p.execution.timeouts import OutOfTime
from p2p.policy import Policy


class Showing:
    """Stands in for the shell's `showtraceback` while a step runs.

    Args:
        show: the shell's own.
        policy: says which attempts may fail without a word.

    Attributes:
        attempts: how many have begun.
        shown: the last error that was shown.
        swallowed: an error that came up in the present attempt; `%%capture` and the like end without raising it.
    """

    def __init__(self, show: Callable[..., Any], policy: Policy) -> None:
        self.attempts = 0
        self.shown: BaseException | None = None
        self.swallowed: BaseException | None = None
        self._show = show
        self._policy = policy

    def raise_swallowed(self) -> None:
        """Raise the error that the attempt showed and did not raise, if any."""
        if self.swallowed is not None:
            self.shown = None  # whoever swallowed it may have kept its traceback from being seen
            raise self.swallowed

    def __call__(self, exc_tuple: Any = None, *args: Any, **kwargs: Any) -> None:
        error = exc_tuple[1] if exc_tuple else sys.exc_info()[1]
        self.swallowed = error
        if not self._passes(error):
            self.shown = error
            self._show(exc_tuple, *args, **kwargs)

    def _passes(self, error: BaseException | None) -> bool:
        """Whether the error is not the step's last word: it is tried again, or told as a timeout."""
        if isinstance(error, OutOfTime | asyncio.CancelledError):
            return True
        if not isinstance(error, Exception) or not self._policy.covers(error):
            return False
        return self.attempts <= self._policy.retries or self._policy.has_fallback


def own_part(traceback: TracebackType | None) -> TracebackType | None:
    """The traceback from IPython's call of the cell's code on, without the way that led there."""
    at = traceback
    while at is not None and at.tb_frame.f_code.co_name != "run_code":
        at = at.tb_next
    return at or traceback
