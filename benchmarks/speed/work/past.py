"""Commands in a project that has a past, each several times: what one takes, and one by processor time. `past TIMES`.

In a project's directory, as `benchmarks.speed.history.with_past` makes it.
"""

from __future__ import annotations

import itertools
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.speed.measuring import wait_for_rest
from benchmarks.speed.work.timing import Spent, median, report

COMMANDS: dict[str, tuple[str, ...]] = {
    "status": ("status",),
    "status_json": ("status", "--json"),
    "doctor": ("doctor",),
    "run": ("run", "tiny", "-p", "i={0}"),
    "sweep": ("sweep", "tiny", "-p", "i={0},{1}"),
    "prune": ("store", "prune", "--dry-run"),
}
"""By name; `{0}` and `{1}` are numbers that no run has had."""
FED = ("run", "sweep")
"""Those with a process beside them that feeds MLflow: its processor time counts only where it ends before they do."""
_FIRST = 1_000_000


def spent(command: tuple[str, ...], numbers: tuple[int, int]) -> Spent:
    """What a command takes, which must succeed, with all that it waits for."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    told = [part.format(*numbers) for part in command]
    subprocess.run([sys.executable, "-m", "p2p", *told], check=True, capture_output=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    wait_for_rest(Path.cwd(), but=os.getpid())
    return Spent(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main(times: int) -> None:
    figures: dict[str, float] = {}
    numbers = itertools.count(_FIRST)
    for name, command in COMMANDS.items():
        found = [spent(command, (next(numbers), next(numbers))) for _ in range(times + 1)]
        for when, took in ((f"{name}_first", found[0]), (name, median(found[1:]))):
            figures |= {when: took.wall} if name in FED else took.told(when)
    report(**figures)


if __name__ == "__main__":
    main(int(sys.argv[1]))
