"""A frame of 100,000 rows and 20 columns as a dataset of the run, with a digest of all its rows."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.speed.bench import Bench
from benchmarks.speed.measuring import Side, worker
from benchmarks.speed.projects import ready
from benchmarks.speed.rows import MS, Bar, Row

ROWS = 100_000
_KINDS = {"floats": "20 columns of floats", "mixed": "floats, whole numbers and texts"}
_BAR = Bar("better", 50)


def rows(bench: Bench) -> Iterator[Row]:
    for kind, what in _KINDS.items():
        found = bench.measured({
            "p2p": Side(worker("dataset_p2p", kind, ROWS), ready),
            "mlflow": Side(worker("dataset_mlflow", kind, ROWS), ready),
        })  # fmt: skip
        theirs = found["mlflow"].figure("whole")
        for figure, whose, bar in (
            ("caller", "the step's part", _BAR), ("whole", "with MLflow's own", _BAR), ("feeder", "MLflow's own", None),
        ):  # fmt: skip
            yield Row(work=f"dataset of {ROWS:,} x 20, {what}: {whose}", unit=MS, ours=found["p2p"].figure(figure),
                      peer="mlflow.log_input", theirs=theirs, bar=bar)  # fmt: skip
