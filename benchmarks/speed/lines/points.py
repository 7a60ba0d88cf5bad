"""A sweep of 1,000 points: its last hundred beside its first hundred, in time, memory and open files.

Takes four minutes a round, so it is measured when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.speed import notebooks
from benchmarks.speed.bench import Bench
from benchmarks.speed.measuring import CPU, Measured, Side, worker
from benchmarks.speed.projects import with_pipeline
from benchmarks.speed.rows import FILES, MB, SECONDS, SECONDS_PER_RUN, Bar, Row, Unit
from benchmarks.speed.work.tiny import CELLS

POINTS = 1_000
_TARGETS = {"pipeline": "tiny@1", "notebook": "tiny.ipynb"}
_PROCESSES = {"own": "the sweep's process", "worker": "the process that runs or forks", "feeder": "MLflow's feeder"}


def prepare(folder: Path) -> None:
    """A project with the pipeline, and with the same steps in a notebook."""
    with_pipeline(folder, "tiny")
    notebooks.write(folder / "tiny.ipynb", CELLS)


def rows(bench: Bench) -> Iterator[Row]:
    found = bench.measured({what: Side(worker("long_sweep", of, POINTS), prepare) for what, of in _TARGETS.items()})
    for what, measured in found.items():
        yield _row(measured, f"{what}, a run", "", SECONDS_PER_RUN, None)
        yield Row(work=f"sweep of {POINTS:,} points: {what}, from its end until MLflow knows all of it", unit=SECONDS,
                  ours=measured.figure("known_to_mlflow"))  # fmt: skip
        yield _row(_by_processor(measured), f"{what}, a run's processor time", "", SECONDS_PER_RUN, 1.2)
        for process, name in _PROCESSES.items():
            yield _row(measured, f"{what}, memory of {name}", f"{process}_memory_", MB, 1.1)
        for process in ("own", "worker"):
            yield _row(measured, f"{what}, open files of {_PROCESSES[process]}", f"{process}_files_", FILES, 1)


def _row(measured: Measured, what: str, figure: str, unit: Unit, limit: float | None) -> Row:
    last, first = measured.figure(f"{figure}last"), measured.figure(f"{figure}first")
    return Row(work=f"sweep of {POINTS:,} points, the last 100: {what}", unit=unit, ours=last,
               peer="the first 100", theirs=first, bar=Bar("cost", limit) if limit else None)  # fmt: skip


def _by_processor(measured: Measured) -> Measured:
    """Minutes lie between the two, in which the machine may have got other things to do: this is what can be judged."""
    by_cpu = {name.removesuffix(CPU): of for name, of in measured.figures.items() if name.endswith(CPU)}
    return Measured(by_cpu, measured.why)
