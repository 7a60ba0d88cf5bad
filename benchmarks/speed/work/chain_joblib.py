"""The chain as calls of a function that joblib.Memory keeps the results of. `chain_joblib STEPS`."""

from __future__ import annotations

import sys
from pathlib import Path

from joblib import Memory

from benchmarks.speed.work.tasks import increment
from benchmarks.speed.work.timing import expect, report, timed


def main(steps: int) -> None:
    step = Memory(Path.cwd() / "joblib", verbose=0).cache(increment)

    def chain() -> int:
        value = 0
        for _ in range(steps):
            value = step(value)
        return value

    step(-5)  # writes the function's source
    (new, last), (known, again) = timed(chain), timed(chain)
    expect((last, again), (steps, steps))
    report(**(new / steps).told("new"), **(known / steps).told("known"))


if __name__ == "__main__":
    main(int(sys.argv[1]))
