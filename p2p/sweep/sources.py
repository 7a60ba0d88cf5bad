"""Where a sweep's points come from, one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from p2p.sweep.points import Point, PointResult


class Source(Protocol):
    """Gives points as long as there are any, and hears of what became of them.

    Attributes:
        total: how many there are in all.
        points: those that are known so far.
        best: the number of the best one; None where nothing tells better from worse.
    """

    total: int

    @property
    def points(self) -> Sequence[Point]: ...

    @property
    def best(self) -> int | None: ...

    def next(self) -> Point | None:
        """The next point; None when there is none."""
        ...

    def heard(self, point: Point, result: PointResult) -> str:
        """A point has ended; gives why no other should be started, and nothing where that is not so."""
        ...

    def planned(self) -> dict[str, Any]:
        """What a sweep that goes on with this one must know of it."""
        ...


class Listed:
    """Points that are all known ahead.

    Args:
        points: all of them.
        done: the numbers of those that need not run any more.
        facts: how they were found.
    """

    def __init__(self, points: Sequence[Point], done: frozenset[int] = frozenset(), **facts: Any) -> None:
        self.points = points
        self.best: int | None = None
        self.total = len(points)
        self._facts = facts
        self._left = iter([point for point in points if point.number not in done])

    def next(self) -> Point | None:
        return next(self._left, None)

    def heard(self, point: Point, result: PointResult) -> str:
        return ""  # they are what they are

    def planned(self) -> dict[str, Any]:
        return {**self._facts, "points": [dict(point.shown) for point in self.points]}
