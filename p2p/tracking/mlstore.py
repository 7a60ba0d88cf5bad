"""MLflow's store: made once, whole, under a lock, with everything inside the project's `mlruns/`."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import re
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Final

from p2p.errors import InputRefused
from p2p.files import locked
from p2p.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient

_SQLITE = "sqlite:///"
_ids: Final[dict[tuple[str, str], str]] = {}  # by store and name: they never change, and are asked for once
_SCHEMES = ("sqlite", "http", "https", "postgresql", "mysql", "mssql", "databricks", "uc")
_CREATION_MAY_TAKE = 120.0
_LOCKED = 2.0  # seconds that somebody may keep a database locked before it counts as locked
# What MLflow waits by default (7 tries of 120 s each, ever longer apart) is longer than any run should wait for it.
_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "8"}


def check_settings(settings: Settings) -> None:
    """Refuse a tracking URI or an experiment name that MLflow could never use, before anything starts."""
    uri = settings.tracking_uri
    scheme = uri.split(":", 1)[0].split("+", 1)[0].lower()
    if scheme not in _SCHEMES or (":" not in uri and scheme not in ("databricks", "uc")) or "\0" in uri:
        raise InputRefused(
            f"The tracking URI '{redacted(uri)}' is none that p2p can use.",
            cure="Set MLFLOW_TRACKING_URI to an http(s) address or a database such as sqlite:///mlruns/mlflow.db.",
        )
    check_experiment(settings.experiment)


def check_experiment(name: str | None) -> None:
    """Refuse an experiment's name that is empty or has control characters in it; None names none."""
    if name is not None and (not name.strip() or any(ord(c) < 32 or ord(c) == 127 for c in name)):
        raise InputRefused(
            f"The experiment name {name!r:.60} is empty or has control characters in it.",
            cure="Set MLFLOW_EXPERIMENT_NAME to plain text.",
        )


def redacted(uri: str) -> str:
    """The URI without user and password."""
    return re.sub(r"(?<=://)[^/@\s]+@", "***@", uri)


def connect(settings: Settings) -> MlflowClient:
    """A client of the settings' store, made ready for use.

    A fresh SQLite store cannot be opened by several processes at once (its migrations collide), and one whose making
    was cut short stays broken. So it is made under a lock, under another name, and put in its place when it is whole.
    """
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # stdout is for answers
    for name, value in _PATIENCE.items():
        os.environ.setdefault(name, value)
    for name in ("alembic", "mlflow.store.db.utils"):
        logging.getLogger(name).setLevel(logging.WARNING)
    import mlflow

    create(settings)
    database = database_of(settings.tracking_uri)
    if database is not None:
        _see_that_it_opens(database)
    mlflow.set_tracking_uri(settings.tracking_uri)
    return mlflow.MlflowClient(tracking_uri=settings.tracking_uri)


def warm(settings: Settings) -> None:
    """Do what takes long without the store's fault: make it, where it is not there, import MLflow and open it.

    A locked SQLite database raises soon, and a server is not asked. Other databases may hang, so they are not opened.
    """
    create(settings)
    if settings.tracking_uri.startswith((_SQLITE, "http")):
        connect(settings)
    else:
        importlib.import_module("mlflow.store.tracking.sqlalchemy_store")


def create(settings: Settings) -> None:
    """Make the settings' store, if it is a SQLite database that is not there yet."""
    database = database_of(settings.tracking_uri)
    if database is not None and not database.exists():
        _create(database, settings)


def database_of(uri: str) -> Path | None:
    """The file of a SQLite store; None for any other."""
    return Path(uri.removeprefix(_SQLITE)) if uri.startswith(_SQLITE) else None


def _create(database: Path, settings: Settings) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    database.parent.mkdir(parents=True, exist_ok=True)
    settings.mlruns.mkdir(parents=True, exist_ok=True)
    with locked(settings.mlruns / ".p2p-lock", wait=_CREATION_MAY_TAKE) as mine:
        if not mine or database.exists():
            return
        fresh = database.with_name(f".{database.name}.new")
        for leftover in database.parent.glob(f"{fresh.name}*"):
            leftover.unlink()
        store = SqlAlchemyStore(f"{_SQLITE}{fresh.as_posix()}", settings.artifacts.as_uri())  # type: ignore[no-untyped-call]  # it has no types
        store.engine.dispose()
        _use_wal(fresh)
        fresh.replace(database)


def _see_that_it_opens(database: Path) -> None:
    """Raise at once where the database is locked: MLflow would try to open it for minutes."""
    with contextlib.closing(sqlite3.connect(database, timeout=_LOCKED)) as connection:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()


def _use_wal(database: Path) -> None:
    """Write-ahead logging: readers (the UI) and writers (runs) do not wait for each other, and commits are cheap."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


def experiment_id(client: MlflowClient, settings: Settings, name: str) -> str:
    """The id of the experiment `name`, made when it is not there."""
    at = (settings.tracking_uri, name)
    if at not in _ids:
        _ids[at] = _known(client, name) or _made_alone(client, settings, name)
    return _ids[at]


def forget_experiment(settings: Settings, name: str) -> None:
    """Ask for the experiment's id again: the one that was known took no run."""
    _ids.pop((settings.tracking_uri, name), None)


def _made_alone(client: MlflowClient, settings: Settings, name: str) -> str:
    location = (settings.artifacts / _folder(name)).as_uri() if database_of(settings.tracking_uri) else None
    with locked(settings.mlruns / ".p2p-lock", wait=_CREATION_MAY_TAKE):
        return _known(client, name) or _made(client, name, location)


def _known(client: MlflowClient, name: str) -> str:
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id) if found is not None else ""


def _made(client: MlflowClient, name: str, location: str | None) -> str:
    """A new experiment; the one that is there, where somebody on another machine was quicker, or an answer was lost."""
    try:
        return str(client.create_experiment(name, artifact_location=location))
    except Exception:
        known = _known(client, name)
        if known:
            return known
        raise


def _folder(name: str) -> str:
    """A directory name for an experiment: its own letters and digits, nothing that means something to a path."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in name)[:80] or "experiment"
