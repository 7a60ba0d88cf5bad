"""The clock of the processes, and how they tell what they found."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.speed.work.marks import MARK

T = TypeVar("T")


@dataclass(frozen=True)
class Spent:
    """What something took.

    Attributes:
        wall: seconds by the clock.
        cpu: seconds of processor time of this process, all its threads together.
    """

    wall: float
    cpu: float

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.wall - other.wall, self.cpu - other.cpu)

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.wall + other.wall, self.cpu + other.cpu)

    def __truediv__(self, parts: float) -> Spent:
        return Spent(self.wall / parts, self.cpu / parts)

    def told(self, name: str) -> dict[str, float]:
        """As two figures: the second one's name ends as the benchmark knows processor times by."""
        return {name: self.wall, f"{name}_cpu": self.cpu}


def timed(call: Callable[[], T]) -> tuple[Spent, T]:
    """What a call takes, and what it gives."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu), result


def median(several: Sequence[Spent]) -> Spent:
    return Spent(statistics.median(one.wall for one in several), statistics.median(one.cpu for one in several))


def per_step(prepared: Callable[[int], Callable[[], int]], steps: int) -> Spent:
    """What a step of a chain takes: a whole chain without one of one step, which is what each run costs.

    Args:
        prepared: gives what runs a chain of so many steps and returns its last value.
        steps: how many.
    """
    one, many = prepared(1), prepared(steps)
    one()  # whatever is loaded or made at the first run
    alone = median([timed(one)[0] for _ in range(3)])
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
