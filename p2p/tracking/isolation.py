"""Code that logs with plain MLflow, run where it must leave no trace: tests, and the examples made for them."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def isolated() -> Iterator[Path]:
    """Let what steps log with plain MLflow go to a store of its own, in a directory that is removed afterwards."""
    names = ("MLFLOW_TRACKING_URI", "P2P_ROOT", "MPLBACKEND")
    before = {name: os.environ.get(name) for name in names}
    with tempfile.TemporaryDirectory(prefix="p2p-tests-") as folder:
        os.environ.update(MLFLOW_TRACKING_URI=f"sqlite:///{folder}/mlflow.db", P2P_ROOT=folder, MPLBACKEND="agg")
        try:
            yield Path(folder)
        finally:
            gc.collect()  # widgets and figures that were left behind say goodbye here, not in the midst of other code
            _end_runs()
            for name, value in before.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value


def _end_runs() -> None:
    """End what the code left open while its store is there; at exit, MLflow would make another store for that."""
    mlflow = sys.modules.get("mlflow")
    while mlflow is not None and mlflow.active_run() is not None:
        mlflow.end_run()
