"""The panel over a notebook of 500 steps, in a project that has had 5,000 runs: what opening and clicking take.

It needs Chromium (`make browser`) and takes two minutes a round, so it is measured when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.speed.bench import Bench
from benchmarks.speed.history import with_past
from benchmarks.speed.measuring import Side, worker
from benchmarks.speed.rows import SECONDS, Bar, Row

STEPS, RUNS = 500, 5_000
_MOST = Bar("most", 2)
NAMES = {
    "open_first": f"the panel opens, all {STEPS} steps drawn, the first time in a kernel",
    "open": f"the panel opens, all {STEPS} steps drawn",
    "runs_cold": "its first page of runs, where no journal was read before",
    "runs_all": "all of them, where no journal was read before",
    "runs_warm": "its first page of runs",
    "filter": "runs filtered to none",
    "unfilter": "runs filtered no more",
    "click": "the longest that a click on a step takes while the cells run",
}


def rows(bench: Bench) -> Iterator[Row]:
    found = bench.measured({"panel": Side(worker("panel", STEPS), with_past(RUNS))})["panel"]
    for name, work in NAMES.items():
        yield Row(work=f"{RUNS:,} past runs: {work}", unit=SECONDS, ours=found.figure(name), bar=_MOST)
