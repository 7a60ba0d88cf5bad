"""The clock of the processes, and how they tell what they found."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import TypeVar

from benchmarks.speed.work.marks import MARK

T = TypeVar("T")


def timed(call: Callable[[], T]) -> tuple[float, T]:
    """Seconds that a call takes, and what it gives."""
    began = time.perf_counter()
    result = call()
    return time.perf_counter() - began, result


def median_of(call: Callable[[], object], times: int = 3) -> float:
    """The median of so many calls, in seconds."""
    return statistics.median(timed(call)[0] for _ in range(times))


def per_step(prepared: Callable[[int], Callable[[], int]], steps: int) -> float:
    """Seconds a step of a chain: those of a whole chain without those of one step, which is what each run costs.

    Args:
        prepared: gives what runs a chain of so many steps and returns its last value.
        steps: how many.
    """
    one, many = prepared(1), prepared(steps)
    one()  # whatever is loaded or made at the first run
    alone = median_of(one)
    whole, last = timed(many)
    expect(last, steps)
    return (whole - alone) / (steps - 1)


def expect(found: object, wanted: object) -> None:
    """A figure of a wrong result is worth nothing."""
    if found != wanted:
        raise SystemExit(f"ValueError: a wrong result: {found!r:.100}, not {wanted!r:.100}")


def report(**figures: float) -> None:
    """Tell the benchmark what was measured: the last such line counts."""
    print(f"{MARK}{json.dumps(figures)}", flush=True)
