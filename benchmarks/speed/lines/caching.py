"""A frame of 100 MB through three cached steps: in a process that makes all three, and in one that finds them."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.speed.bench import Bench
from benchmarks.speed.measuring import Side, worker
from benchmarks.speed.projects import ready
from benchmarks.speed.rows import SECONDS, Bar, Row

NBYTES = 100_000_000


def rows(bench: Bench) -> Iterator[Row]:
    """The three steps alone; then whole processes, p2p's with its tracking."""
    found = bench.measured({
        "p2p": Side(worker("twice", "cached_p2p", NBYTES), ready),
        "joblib": bench.peer("joblib", "twice", "cached_joblib", NBYTES),
    })  # fmt: skip
    for figure, what, bar in (("loop", "the steps", Bar("better", 1)), ("process", "whole process", None)):
        for when in ("cold", "warm"):
            yield Row(work=f"100 MB through three cached steps, {when}: {what}", unit=SECONDS,
                      ours=found["p2p"].figure(f"{when}_{figure}"), peer="joblib.Memory",
                      theirs=found["joblib"].figure(f"{when}_{figure}"), bar=bar)  # fmt: skip
    for when in ("cold", "warm"):
        yield Row(work=f"100 MB through three cached steps, {when}: `run_pipeline`, with starting the tracking",
                  unit=SECONDS, ours=found["p2p"].figure(f"{when}_run"))  # fmt: skip
