"""What the tqdm bars of a step say, told on while it runs: nobody writes their loops anew for that.

Of a mapped step, the items that are done are counted instead, wherever they run.

tqdm is never imported here. Where the code imports it, two methods of its base class are wrapped: the one that draws a
bar anew, at most some times a second, and the one that ends it. The loop itself is as fast as before, and the bars look
as they do. Nothing that goes wrong here reaches the loop.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from p2p.progress import Progress
from p2p.tracking.arriving import when_imported

_APART: Final = 0.5  # seconds between two words about one step
_WRAPPED: Final = "_p2p_tells"
Tell = Callable[[Progress], None]


class Meter:
    """Follows the bars of one step, and tells of the outermost that moves, or of its items where it is mapped.

    Args:
        tell: told how far it is, about twice a second at most.
        clock: seconds that never jump.
    """

    def __init__(self, tell: Tell, clock: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._clock = clock
        self._bars: dict[int, weakref.ref[Any]] = {}  # in the order in which they came: an outer one before its inner
        self._due = float("-inf")
        self._counts = False
        self._told: int | None = None
        self._process = os.getpid()
        self._turn = threading.RLock()  # a bar may be ended by the garbage collection, at any moment

    def follows(self, bar: Any) -> bool:
        """Whether it is one of this step's."""
        found = self._bars.get(id(bar))
        return found is not None and found() is bar

    def moved(self, bar: Any) -> None:
        """A bar was drawn anew."""
        with self._turn:
            if not self.follows(bar):
                self._bars[id(bar)] = weakref.ref(bar)
            if not self._counts and self._is_due():
                self._say(self._outermost())

    def ended(self, bar: Any) -> None:
        """A bar has ended; its last word counts where it was the one that was told of."""
        with self._turn:
            if self._bars.pop(id(bar), None) is not None and self._told == id(bar) and os.getpid() == self._process:
                self._say(bar)

    def counting(self, total: int) -> Callable[[int], None]:
        """What is to be told how many of so many items are done; from now on they are what counts, no bar in them.

        Where all are done at once, nothing is said: a word costs more than a small item.
        """
        began = self._clock()
        self._due = began + _APART
        self._counts = True
        said = False

        def done(n: int) -> None:
            nonlocal said
            if not self._is_due() and not (said and n == total):
                return
            said = True
            rate = n / max(self._clock() - began, 1e-9) if n else None
            with contextlib.suppress(Exception):  # the items are the user's
                self._tell(Progress.of("items", n, total, "it", rate))

        return done

    def _is_due(self) -> bool:
        """Whether it is time for the next word, which is then taken to be said."""
        now = self._clock()
        if now < self._due or os.getpid() != self._process:
            return False
        self._due = now + _APART
        return True

    def _outermost(self) -> Any:
        bars = [bar for found in self._bars.values() if (bar := found()) is not None]
        open_ = [bar for bar in bars if not (bar.total and bar.n >= bar.total)]
        moving = [bar for bar in open_ if bar.n > bar.initial]
        return (moving or open_ or bars[-1:])[0]

    def _say(self, bar: Any) -> None:
        self._told = id(bar)
        self._tell(_progress(bar))


_METERS: list[Meter] = []  # of the steps at work; a thread that a step has started knows of no step
_MINE: ContextVar[Meter | None] = ContextVar("p2p_meter", default=None)


@contextmanager
def told(tell: Tell) -> Iterator[None]:
    """In the block, which is a step at work, `tell` hears what its bars say."""
    _wrap()
    when_imported("tqdm", _wrap)
    meter = Meter(tell)
    _METERS.append(meter)
    token = _MINE.set(meter)
    try:
        yield
    finally:
        _MINE.reset(token)
        _METERS.remove(meter)


def counting(total: int) -> Callable[[int], None]:
    """What is to be told how many of so many items the step that runs here has done."""
    meter = _MINE.get()
    return meter.counting(total) if meter is not None and total else _nothing


def _nothing(_n: int) -> None:
    """Nobody wants to know."""


def _wrap() -> None:
    """Wrap the base class of all bars, where it is there and was not wrapped before."""
    base: Any = getattr(sys.modules.get("tqdm.std"), "tqdm", None)
    if base is None or hasattr(base, _WRAPPED):
        return
    refresh, close = base.refresh, base.close

    @functools.wraps(refresh)
    def refresh_and_tell(self: Any, *args: Any, **kwargs: Any) -> Any:
        answer = refresh(self, *args, **kwargs)
        with contextlib.suppress(Exception):  # the loop is the user's
            _moved(self)
        return answer

    @functools.wraps(close)
    def close_and_tell(self: Any) -> Any:
        answer = close(self)
        with contextlib.suppress(Exception):  # as above; at the end of a process, there may be nothing left to ask
            _ended(self)
        return answer

    base.refresh, base.close = refresh_and_tell, close_and_tell
    setattr(base, _WRAPPED, True)


def _moved(bar: Any) -> None:
    meter = _meter(bar)
    if meter is not None and not bar.disable:
        meter.moved(bar)


def _ended(bar: Any) -> None:
    for meter in [*_METERS]:
        meter.ended(bar)


def _meter(bar: Any) -> Meter | None:
    """Whose bar it is: who knows it; else the step that runs here; else, in a thread of the code's, the only one."""
    known = next((meter for meter in [*_METERS] if meter.follows(bar)), None)
    return known or _MINE.get() or (_METERS[0] if len(_METERS) == 1 else None)


def _progress(bar: Any) -> Progress:
    says = bar.format_dict
    scale = says["unit_scale"]
    by = scale if isinstance(scale, int | float) and not isinstance(scale, bool) else 1
    rate = says["rate"]
    if rate is None and says["elapsed"]:
        rate = (says["n"] - (says["initial"] or 0)) / says["elapsed"]
    total = says["total"] * by if says["total"] else None
    return Progress.of(says["prefix"], says["n"] * by, total, says["unit"], rate * by if rate else None)
