"""A module of this package in two processes, one after the other, in the same directory: cold, then warm.

`twice MODULE ARGUMENTS...`; the figures of the first are told as `cold_...`, those of the second as `warm_...`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

from benchmarks.speed.work.marks import MARK
from benchmarks.speed.work.timing import report


def once(module: str, arguments: list[str]) -> dict[str, float]:
    began = time.perf_counter()
    command = [sys.executable, "-m", f"benchmarks.speed.work.{module}", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    wall = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.returncode)
    last = [line for line in done.stdout.splitlines() if line.startswith(MARK)][-1]
    return {**json.loads(last.removeprefix(MARK)), "process": wall}


def main(module: str, *arguments: str) -> None:
    told = {when: once(module, [*arguments, when]) for when in ("cold", "warm")}
    report(**{f"{when}_{name}": value for when, figures in told.items() for name, value in figures.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
