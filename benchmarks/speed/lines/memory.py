"""A frame of 1 GB through five steps: the most memory that the process takes, and that of the same functions alone."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.speed.bench import Bench
from benchmarks.speed.measuring import Side, worker
from benchmarks.speed.projects import ready
from benchmarks.speed.rows import MB, SECONDS, Bar, Row

NBYTES = 1_000_000_000
_WORK = "1 GB frame through five steps"


def rows(bench: Bench) -> Iterator[Row]:
    found = bench.measured(
        {"p2p": Side(worker("memory", "p2p", NBYTES), ready), "plain": Side(worker("memory", "plain", NBYTES))}
    )
    mine, theirs = found["p2p"], found["plain"]
    yield Row(work=f"{_WORK}: most memory", unit=MB, ours=mine.figure("peak"), peer="plain Python",
              theirs=theirs.figure("peak"), bar=Bar("cost", 1.1))  # fmt: skip
    yield Row(work=f"{_WORK}: time, p2p's with storing them all", unit=SECONDS, ours=mine.figure(),
              peer="plain Python", theirs=theirs.figure())  # fmt: skip
