"""MLflow's store: made once, under a lock, with everything inside the project's `mlruns/`."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from p2p.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient

_SQLITE = "sqlite:///"


def connect(settings: Settings) -> MlflowClient:
    """A client of the settings' store, made ready for use.

    A fresh SQLite store cannot be opened by several processes at once (its migrations collide), so its first opening
    happens under a file lock.
    """
    # The feeder has a thread of its own, so nothing waits. With MLflow's asynchronous export a finished run's trace was
    # now and then not found by its run; why is not known.
    os.environ.setdefault("MLFLOW_ENABLE_ASYNC_TRACE_LOGGING", "false")
    for name in ("alembic", "mlflow.store.db.utils"):
        logging.getLogger(name).setLevel(logging.WARNING)
    import mlflow

    mlflow.set_tracking_uri(settings.tracking_uri)
    client = mlflow.MlflowClient(tracking_uri=settings.tracking_uri)
    with _creation_lock(settings):
        client.search_experiments(max_results=1)
        _use_wal(settings.tracking_uri)
    return client


def experiment_id(client: MlflowClient, settings: Settings, name: str) -> str:
    """The id of the experiment `name`, made when it is not there."""
    with _creation_lock(settings):
        found = client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        location = None
        if settings.tracking_uri.startswith(_SQLITE):
            location = (settings.artifacts / _folder(name)).as_uri()
        return str(client.create_experiment(name, artifact_location=location))


def _folder(name: str) -> str:
    """A directory name for an experiment: its own letters and digits, nothing that means something to a path."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in name)[:80] or "experiment"


@contextlib.contextmanager
def _creation_lock(settings: Settings) -> Iterator[None]:
    if not settings.tracking_uri.startswith(_SQLITE):
        yield
        return
    Path(settings.tracking_uri.removeprefix(_SQLITE)).parent.mkdir(parents=True, exist_ok=True)
    settings.mlruns.mkdir(parents=True, exist_ok=True)
    with (settings.mlruns / ".p2p-lock").open("w") as file:
        try:
            import fcntl
        except ImportError:  # Windows has no flock; first use by many processes is then not protected
            yield
            return
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


def _use_wal(uri: str) -> None:
    """Write-ahead logging: readers (the UI) and writers (runs) do not wait for each other, and commits are cheap."""
    if uri.startswith(_SQLITE):
        with contextlib.closing(sqlite3.connect(uri.removeprefix(_SQLITE))) as database:
            database.execute("PRAGMA journal_mode=WAL")
