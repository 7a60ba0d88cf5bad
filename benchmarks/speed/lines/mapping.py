"""10,000 tasks of 1 ms on Dask: `step.map` of p2p, and bare futures."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.speed.bench import Bench
from benchmarks.speed.measuring import Missing, Side, worker
from benchmarks.speed.projects import ready
from benchmarks.speed.rows import MS_PER_TASK, Bar, Figure, Row

TASKS = 10_000


def rows(bench: Bench) -> Iterator[Row]:
    """From the first task's start to the last result; both have two workers that are up already."""
    found = bench.measured({"p2p": ours(), "dask": bench.peer("dask", "mapped_dask", TASKS)})
    mine, theirs = (_per_task(found[side].figure("loop")) for side in ("p2p", "dask"))
    yield Row(work=f"{TASKS:,} tasks of 1 ms on Dask, 2 workers", unit=MS_PER_TASK, ours=mine, peer="bare Dask futures",
              theirs=theirs, bar=Bar("cost", 1.3))  # fmt: skip


def ours() -> Side | Missing:
    from p2p.steps import Step

    if not hasattr(Step, "map"):
        return Missing("not there yet (`step.map`)")
    return Side(worker("mapped_p2p", TASKS), ready)


def _per_task(loop: Figure) -> Figure:
    return loop if loop.value is None else Figure(loop.value / TASKS)
