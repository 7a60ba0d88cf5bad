"""How far work has come, as people read it: a description, a count, a total. Knows of no bar, run or screen."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

_LONGEST = 80  # characters of a description
_UNIT = 20


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a piece of work has come.

    Attributes:
        description: what is counted, as its author calls it; may be empty.
        n: how many are done.
        total: how many there are; None where nobody knows.
        unit: what one of them is called.
        rate: how many a second; None where nobody can tell yet.
    """

    description: str = ""
    n: float = 0.0
    total: float | None = None
    unit: str = "it"
    rate: float | None = None

    @classmethod
    def of(cls, description: Any, n: Any, total: Any, unit: Any, rate: Any) -> Progress:
        """Of whatever a bar holds: texts are cut, and what is no finite number is none."""
        text = str(description or "").strip().rstrip(":").strip()[:_LONGEST]
        return cls(text, _number(n) or 0.0, _number(total) or None, str(unit or "it").strip()[:_UNIT], _number(rate))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Progress:
        """The progress that `as_dict` has told; fields that it does not know are nothing to it."""
        return cls.of(*(data.get(name) for name in ("description", "n", "total", "unit", "rate")))

    def as_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @property
    def percent(self) -> int | None:
        """Of the total, rounded down: 100 only when all is done; None where the total is not known."""
        return None if self.total is None else max(0, min(100, math.floor(100 * self.n / self.total)))

    def short(self) -> str:
        """As short as can be: `43 %`, or `1,200 rows` where the total is not known."""
        return f"{_count(self.n)} {self.unit}" if self.percent is None else f"{self.percent} %"

    def text(self) -> str:
        """One line: `epochs 43/100`; `1,200 rows` where the total is not known."""
        counted = f"{_count(self.n)} {self.unit}" if self.total is None else f"{_count(self.n)}/{_count(self.total)}"
        return f"{self.description} {counted}".strip()

    def line(self) -> str:
        """As `text`, with how fast it goes and how long the rest takes at that rate."""
        if not self.rate or self.rate <= 0:
            return self.text()
        speed = f"{self.rate:.3g} {self.unit}/s" if self.rate >= 1 else f"{1 / self.rate:.3g} s/{self.unit}"
        left = "" if self.total is None else f", {duration((self.total - self.n) / self.rate)} left"
        return f"{self.text()} ({speed}{left})"


class Pace:
    """Says what is due, so that a log is not flooded.

    Args:
        every: seconds between two lines about the same; the first one comes that long after it is first asked for.
        clock: seconds that never jump.
    """

    def __init__(self, every: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._every = every
        self._clock = clock
        self._last: dict[str, float] = {}

    def due(self, about: str) -> bool:
        """Whether it is time for a line about this."""
        now = self._clock()
        if now - self._last.setdefault(about, now) < self._every:
            return False
        self._last[about] = now
        return True

    def forget(self, about: str) -> None:
        """It has ended."""
        self._last.pop(about, None)


def duration(seconds: float) -> str:
    """A time that is only about right: `40 s`, `3 min`, `1 h 20 min`."""
    whole = max(0, round(seconds))
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _count(number: float) -> str:
    return f"{int(number):,}" if number == int(number) else f"{number:,.4g}"
