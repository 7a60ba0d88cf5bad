"""What several rooms' tests stand on: a project in a temporary directory, and a run that is kept in memory."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from p2p.execution import Services
from p2p.settings import Settings
from p2p.store import MemoryStore

_OURS = ("P2P_ATTACH", "P2P_RUN", "P2P_SECRETS", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME")
_MAKE_STORE = """
import sys
from pathlib import Path
from p2p.settings import Settings
from p2p.tracking import mlstore
root = Path(sys.argv[1])
mlstore.connect(Settings(root, f"sqlite:///{root.as_posix()}/mlruns/mlflow.db"))
"""


class Events:
    """An event sink that remembers."""

    def __init__(self) -> None:
        self.all: list[dict[str, Any]] = []

    def append(self, kind: str, **data: Any) -> None:
        self.all.append({"kind": kind, **data})

    def kinds(self) -> list[str]:
        return [event["kind"] for event in self.all]

    def of(self, kind: str, step: str | None = None) -> list[dict[str, Any]]:
        return [e for e in self.all if e["kind"] == kind and step in (None, e.get("step"))]

    def last(self, kind: str, step: str | None = None) -> dict[str, Any]:
        return self.of(kind, step)[-1]


@pytest.fixture
def events() -> Events:
    return Events()


@pytest.fixture
def waits() -> list[float]:
    """The seconds that steps would have waited before they tried again."""
    return []


@pytest.fixture
def services(events: Events, waits: list[float]) -> Services:
    """A run in memory, in which nothing really waits."""

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    return Services(events=events, values=MemoryStore(), sleep=sleep, block=waits.append, random=lambda: 0.0)


@pytest.fixture(scope="session")
def ready_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh MLflow database: made once, by whichever pytest-xdist worker comes first, because that takes seconds."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    database = shared / "ready-mlflow.db"
    with _lock(shared / "ready-mlflow.lock"):
        if not database.exists():
            root = tmp_path_factory.mktemp("ready")
            subprocess.run([sys.executable, "-c", _MAKE_STORE, str(root)], check=True, cwd=root, capture_output=True)
            _copy_database(root / "mlruns" / "mlflow.db", database)
    return database


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold a lock that is a file: it works on every system, and a worker that dies loses only its tests."""
    limit = time.monotonic() + 120
    while True:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL))
            break
        except FileExistsError:
            if time.monotonic() > limit:
                raise
            time.sleep(0.1)
    try:
        yield
    finally:
        path.unlink()


def _copy_database(source: Path, target: Path) -> None:
    """A copy that holds what is still in the write-ahead log."""
    partial = target.with_suffix(".partial")
    with contextlib.closing(sqlite3.connect(source)) as old, contextlib.closing(sqlite3.connect(partial)) as new:
        old.backup(new)
    partial.replace(target)


@pytest.fixture(scope="session")
def make_project(ready_store: Path) -> Callable[[Path], Settings]:
    """Makes a project, with an empty MLflow store, in a directory."""

    def make(root: Path) -> Settings:
        root = root.resolve()
        (root / "mlruns").mkdir(parents=True)
        (root / "notebooks").mkdir()
        database = root / "mlruns" / "mlflow.db"
        shutil.copyfile(ready_store, database)
        return Settings(root, f"sqlite:///{database.as_posix()}")

    return make


@pytest.fixture
def settings(tmp_path: Path, make_project: Callable[[Path], Settings], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A project of its own, which this process and those that it starts take for theirs."""
    settings = make_project(tmp_path / "project")
    for name in _OURS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("P2P_ROOT", str(settings.root))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", settings.tracking_uri)
    monkeypatch.chdir(settings.root)
    return settings


@pytest.fixture
def project(settings: Settings) -> Path:
    """The directory of the `settings` project."""
    return settings.root


@pytest.fixture(autouse=True)
def left_as_it_was() -> Iterator[None]:
    """No test leaves its process in another directory, or with another `__main__`: later tests would fail for it."""
    main, here = sys.modules["__main__"], Path.cwd()
    yield
    left, there = sys.modules["__main__"], Path.cwd()
    if (main, here) != (left, there):
        sys.modules["__main__"] = main
        os.chdir(here)
        pytest.fail(f"left behind: __main__ {left}, working directory {there}")
