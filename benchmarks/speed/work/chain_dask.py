"""The chain as `dask.delayed` calls, computed in this process. `chain_dask STEPS`."""

from __future__ import annotations

import sys
from collections.abc import Callable

import dask

from benchmarks.speed.work.tasks import increment
from benchmarks.speed.work.timing import per_step, report


def prepared(steps: int) -> Callable[[], int]:
    def run() -> int:
        value = 0
        for _ in range(steps):
            value = dask.delayed(increment)(value)
        return value.compute()

    return run


if __name__ == "__main__":
    report(**per_step(prepared, int(sys.argv[1])).told("step"))
