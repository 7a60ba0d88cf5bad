"""The part of a pipeline's time that is not its steps' own: 20 steps of 50 ms."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from benchmarks.speed.bench import Bench
from benchmarks.speed.measuring import Measured, Side, worker
from benchmarks.speed.projects import ready, with_pipeline
from benchmarks.speed.rows import PERCENT, Bar, Row
from benchmarks.speed.work.tasks import NAP

STEPS = 20
_WORK = f"{STEPS} steps of 50 ms: part that is not theirs"


def rows(bench: Bench) -> Iterator[Row]:
    found = bench.measured({
        "loop": Side(worker("napping", STEPS), ready),
        "command": Side([sys.executable, "-m", "p2p", "run", "napping@1", "--json"], with_pipeline),
    })  # fmt: skip
    loop, command = found["loop"], part_of(found["command"])
    yield Row(work=f"{_WORK}, from the first to the last", unit=PERCENT, ours=loop.figure("loop"), bar=Bar("most", 5))
    yield Row(work=f"{_WORK}, of `run_pipeline`", unit=PERCENT, ours=loop.figure("run"))
    yield Row(work=f"{_WORK}, of the command `p2p run`", unit=PERCENT, ours=command.figure("share"))


def part_of(command: Measured) -> Measured:
    """The same of a whole command."""
    walls = command.figures.get("wall", ())
    return Measured({"share": [(wall - STEPS * NAP) / wall for wall in walls]}, command.why)
