"""A chain of 1,000 steps that do nothing: what tracking, journal and cache cost a step."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.speed.bench import Bench
from benchmarks.speed.measuring import Side, worker
from benchmarks.speed.projects import ready
from benchmarks.speed.rows import MS_PER_STEP, Bar, Row

STEPS = 1_000
FEWER = 200  # where a step takes long enough
_WORK = f"chain of {STEPS:,} no-op steps"
_PEERS = {
    "Kedro": ("kedro", "chain_kedro", (STEPS,), Bar("better", 10)),
    "Dagster, in memory": ("dagster", "chain_dagster", ("memory", FEWER), Bar("better", 50)),
    "Dagster, stored": ("dagster", "chain_dagster", ("stored", FEWER), Bar("better", 50)),
    "Prefect": ("prefect", "chain_prefect", (FEWER,), Bar("better", 50)),
    "Hamilton": ("hamilton", "chain_hamilton", (STEPS,), None),
    "dask.delayed": ("dask", "chain_dask", (STEPS,), None),
}


def rows(bench: Bench) -> Iterator[Row]:
    """Runs of p2p until their outcome is there, without what a run of one step takes; then the same of the peers."""
    sides = {
        "p2p": Side(worker("chain_p2p", STEPS), ready),
        **{name: bench.peer(of, module, *arguments) for name, (of, module, arguments, _bar) in _PEERS.items()},
        "joblib": bench.peer("joblib", "chain_joblib", STEPS),
    }
    found = bench.measured(sides)
    ours = found["p2p"]
    yield Row(work=_WORK, unit=MS_PER_STEP, ours=ours.figure("new"), bar=Bar("most", 0.2))
    yield Row(work=f"{_WORK}: the loop alone", unit=MS_PER_STEP, ours=ours.figure("new_loop"))
    yield Row(work=f"{_WORK}: until MLflow knows all of it", unit=MS_PER_STEP, ours=ours.figure("new_whole"))
    for name, (_of, _module, arguments, bar) in _PEERS.items():
        work = _WORK if STEPS in arguments else f"{_WORK} (the peer: {FEWER})"
        yield Row(work=work, unit=MS_PER_STEP, ours=ours.figure("new"), peer=name, theirs=found[name].figure("step"),
                  bar=bar)  # fmt: skip
    for name, what, bar in (("new", "each call new", None), ("known", "each step a cache hit", Bar("most", 0.3))):
        yield Row(work=f"{_WORK}, {what}", unit=MS_PER_STEP, ours=ours.figure(name), peer="joblib.Memory",
                  theirs=found["joblib"].figure(name), bar=bar)  # fmt: skip
    yield Row(work=f"{_WORK}, each step a cache hit: the loop alone", unit=MS_PER_STEP, ours=ours.figure("known_loop"))
    yield Row(work=f"{_WORK}, each step a cache hit: until MLflow knows all of it", unit=MS_PER_STEP,
              ours=ours.figure("known_whole"))  # fmt: skip
