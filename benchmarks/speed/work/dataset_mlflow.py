"""The frame as MLflow's own users log it. `dataset_mlflow KIND ROWS`."""

from __future__ import annotations

import sys
from pathlib import Path

import mlflow

from benchmarks.speed.work.frames import KINDS
from benchmarks.speed.work.timing import Spent, report, timed
from p2p.settings import load_settings
from p2p.tracking import mlstore


def spent_on(kind: str, rows: int, name: str) -> Spent:
    frame = KINDS[kind](rows)
    return timed(lambda: mlflow.log_input(mlflow.data.from_pandas(frame, name=name)))[0]


def main(kind: str, rows: int) -> None:
    mlstore.connect(load_settings(Path.cwd()))  # the same store, opened the same way
    with mlflow.start_run():
        spent_on(kind, 10, "small")  # loads what has to be loaded
        report(**spent_on(kind, rows, "frame").told("whole"))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
