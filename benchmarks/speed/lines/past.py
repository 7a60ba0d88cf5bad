"""A project that has had 10,000 runs, beside one that has had 10: what commands take.

Takes three minutes a round, most of them to make the project, so it is measured when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.speed.bench import Bench
from benchmarks.speed.history import with_past
from benchmarks.speed.measuring import Side, worker
from benchmarks.speed.rows import SECONDS, Bar, Row

MANY, FEW = 10_000, 10
_TIMES = 5
_NAMES = {
    "status": ("`p2p status`", 1.5), "status_json": ("`p2p status --json`", 1.5),
    "status_first": ("`p2p status`, the first time", None), "doctor": ("`p2p doctor`", 1.1),
    "run": ("`p2p run` of a pipeline", 1.1), "sweep": ("`p2p sweep` of two points", 1.1),
    "prune": ("`p2p store prune --dry-run`", None),
}  # fmt: skip


def rows(bench: Bench) -> Iterator[Row]:
    found = bench.measured({str(runs): Side(worker("past", _TIMES), with_past(runs)) for runs in (MANY, FEW)})
    many, few = found[str(MANY)], found[str(FEW)]
    for name, (command, limit) in _NAMES.items():
        yield Row(work=f"{MANY:,} past runs: {command}", unit=SECONDS, ours=many.figure(name), peer=f"{FEW} past runs",
                  theirs=few.figure(name), bar=Bar("cost", limit) if limit else None)  # fmt: skip
    yield Row(work=f"{MANY:,} past runs: `p2p status`", unit=SECONDS, ours=many.figure("status"), bar=Bar("most", 1))
