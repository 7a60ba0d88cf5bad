"""Projects in which p2p is measured: their directories before the clock starts."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from benchmarks.commands import run
from benchmarks.recording import plain
from benchmarks.speed.measuring import worker

_MAKING = 120.0  # seconds
PLAIN = "plain.ipynb"


def ready(folder: Path) -> None:
    """A project that has an MLflow store, as any has after its first run."""
    (folder / "mlruns").mkdir()
    (folder / "mlruns" / "mlflow.db").write_bytes(_store())


@cache
def _store() -> bytes:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        done = run(worker("store"), folder, _MAKING, {"P2P_ROOT": str(folder)})
        if done.code != 0:
            raise OSError(f"MLflow's store cannot be made: {done.last_line}")
        return _whole(folder / "mlruns" / "mlflow.db")


def _whole(database: Path) -> bytes:
    """The database with what its write-ahead log has."""
    copy = database.with_suffix(".copy")
    with contextlib.closing(sqlite3.connect(database)) as old, contextlib.closing(sqlite3.connect(copy)) as new:
        old.backup(new)
    return copy.read_bytes()


def with_notebook(notebook: Path, *, first: bool = False) -> Callable[[Path], None]:
    """Makes a project with a notebook, and beside it the same one as papermill alone would have it: without marks.

    Args:
        notebook: the notebook; it has marks.
        first: the project has no store yet.
    """

    def prepare(folder: Path) -> None:
        if not first:
            ready(folder)
        (folder / notebook.name).write_bytes(notebook.read_bytes())
        plain(notebook, folder / PLAIN)

    return prepare


def with_pipeline(folder: Path, name: str = "napping") -> None:
    """A project with a pipeline of `work`, such as that of naps, as version 1."""
    ready(folder)
    version = folder / "pipelines" / name / "v1"
    version.mkdir(parents=True)
    for package in (version.parents[1], version.parent, version):
        (package / "__init__.py").touch()
    (version / "manifest.json").write_text("{}\n", encoding="utf-8")  # it was written by hand
    (version / "pipeline.py").write_text(
        f"from benchmarks.speed.work.{name} import PIPELINE as pipeline\n", encoding="utf-8"
    )
