"""A frame of 5 GB through three steps that pass it on: the most memory that it takes, and that plain Python takes.

Takes two minutes a round, 6 GB of memory and 11 GB of disk, so it is measured when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.speed.bench import Bench
from benchmarks.speed.measuring import Side, worker
from benchmarks.speed.projects import ready
from benchmarks.speed.rows import MB, SECONDS, Bar, Row

_FRAMES = {"floats": ("5 GB frame", 5_000_000_000), "texts": ("1 GB frame of texts", 1_000_000_000)}


def rows(bench: Bench) -> Iterator[Row]:
    for kind, (name, nbytes) in _FRAMES.items():
        found = bench.measured({
            how: Side(worker("passed_on", how, kind, nbytes), ready) for how in ("p2p", "plain")
        })  # fmt: skip
        ours, theirs = found["p2p"], found["plain"]
        yield Row(work=f"{name} through three steps: most memory", unit=MB, ours=ours.figure("peak"),
                  peer="plain Python", theirs=theirs.figure("peak"), bar=Bar("cost", 1.1))  # fmt: skip
        yield Row(work=f"{name} through three steps: time, p2p's with storing them", unit=SECONDS,
                  ours=ours.figure(), peer="plain Python", theirs=theirs.figure())  # fmt: skip
