"""The five steps of the machine's pipeline: a draw, a change in place, two names of one object, a sum, a report."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any


def draw(seed: int) -> list[int]:
    random.seed(seed)
    return [random.randrange(1000) for _ in range(4)]


def grow(rows: list[int]) -> int:
    rows.append(random.randrange(1000))
    return len(rows)


def split(rows: list[int]) -> tuple[list[int], list[int]]:
    both = rows[:2]
    return both, both


def add(left: list[int], rows: list[int]) -> int:
    left.append(1)
    return sum(left) + sum(rows) + random.randrange(1000)


def report(total: int, right: list[int]) -> dict[str, Any]:
    return {"total": total, "right": list(right), "drawn": random.random()}


STEPS: list[tuple[str, Callable[..., Any], tuple[str, ...], tuple[str, ...]]] = [
    ("draw", draw, ("seed",), ("rows",)),
    ("grow", grow, ("rows",), ("size",)),
    ("split", split, ("rows",), ("left", "right")),
    ("add", add, ("left", "rows"), ("total",)),
    ("report", report, ("total", "right"), ("done",)),
]


def reference(place: int) -> dict[str, Any]:
    """The names after the first `place` steps of a run that nothing disturbs."""
    before = random.getstate()
    try:
        values: dict[str, Any] = {"seed": 7}
        for _name, function, takes, gives in STEPS[:place]:
            result = function(*(values[name] for name in takes))
            values.update(zip(gives, result if len(gives) > 1 else (result,), strict=True))
        return values
    finally:
        random.setstate(before)
