"""The chain in Prefect: a flow of task calls, on the server that it starts for itself. `chain_prefect STEPS`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

os.environ["PREFECT_HOME"] = str(Path.cwd() / "prefect")  # read when it is imported
os.environ["PREFECT_SERVER_ALLOW_EPHEMERAL_MODE"] = "true"

from prefect import flow, task

from benchmarks.speed.work.tasks import increment
from benchmarks.speed.work.timing import per_step, report

step = task(increment)


@flow
def chain(steps: int) -> int:
    value = 0
    for _ in range(steps):
        value = step(value)
    return value


def prepared(steps: int) -> Callable[[], int]:
    return lambda: chain(steps)


if __name__ == "__main__":
    report(**per_step(prepared, int(sys.argv[1])).told("step"))
