"""The file of the ledger: one SQLite database, opened, made where there is none, and changed by whole transactions.

What lies in it is the business of its readers: `ledger` for schedules and ticks, `outbox` for what people are told.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, overload

from p2p.errors import StoreError
from p2p.files import make_folder

FORMAT: Final = 1
_WAIT: Final = 30.0  # seconds for another scheduler's transaction
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS schedules (
    name TEXT PRIMARY KEY, definition TEXT NOT NULL, looked TEXT NOT NULL, made TEXT NOT NULL,
    paused INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS ticks (
    id INTEGER PRIMARY KEY, schedule TEXT NOT NULL, time TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0, interruptions INTEGER NOT NULL DEFAULT 0,
    owner TEXT NOT NULL DEFAULT '', run TEXT NOT NULL DEFAULT '', run_id TEXT NOT NULL DEFAULT '',
    step TEXT NOT NULL DEFAULT '', not_before TEXT, began TEXT, ended TEXT, UNIQUE (schedule, time)
);
CREATE INDEX IF NOT EXISTS ticks_open ON ticks (state) WHERE state IN ('due', 'running');
CREATE TABLE IF NOT EXISTS skipped (
    schedule TEXT NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL, count INTEGER NOT NULL, reason TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS news (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, schedule TEXT NOT NULL, time TEXT NOT NULL, text TEXT NOT NULL,
    run_id TEXT NOT NULL, step TEXT NOT NULL, zone TEXT NOT NULL, made TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS alerts (
    id INTEGER PRIMARY KEY, news INTEGER NOT NULL REFERENCES news (id), address TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'due', owner TEXT NOT NULL DEFAULT '', tries INTEGER NOT NULL DEFAULT 0,
    problem TEXT NOT NULL DEFAULT '', not_before TEXT NOT NULL, ended TEXT, UNIQUE (news, address)
);
CREATE INDEX IF NOT EXISTS alerts_open ON alerts (state) WHERE state = 'due';
CREATE TABLE IF NOT EXISTS schedulers (owner TEXT PRIMARY KEY, beat TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS skipped_of ON skipped (schedule, last);
"""


class Book:
    """Opens the file, and makes it where there is none. Each thread that uses it has a connection of its own.

    Args:
        path: of the file.
        durable: whether what was put down survives a loss of power too; what ends a process never harms it.

    Raises:
        StoreError: it cannot be opened, or a later p2p wrote it.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        make_folder(path.parent, mode=0o700)
        self.path = path
        self._durable = durable
        self._of_thread = threading.local()
        with self._writing(make=True):
            pass

    def close(self) -> None:
        """Close this thread's connection; it is opened again when it is needed."""
        found: sqlite3.Connection | None = getattr(self._of_thread, "connection", None)
        if found is not None:
            self._of_thread.connection = None
            found.close()

    @contextlib.contextmanager
    def _writing(self, *, make: bool = False) -> Iterator[sqlite3.Connection]:
        """One transaction, all of it or nothing."""
        with self._connected() as connection:
            if make:
                _prepare(connection, self.path)
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # the disk was full, and it has been rolled back
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextlib.contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            yield self._connection()
        except sqlite3.Error as error:
            self.close()
            raise StoreError(
                f"The ledger of schedules at '{self.path}' cannot be used: {error}.",
                cure="See that the disk has room and the file can be written.",
            ) from error

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._of_thread, "connection", None)
        if found is None:
            found = self._of_thread.connection = sqlite3.connect(self.path, timeout=_WAIT, isolation_level=None)
            found.execute(f"PRAGMA synchronous={'FULL' if self._durable else 'OFF'}")
        return found


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found > FORMAT:
        raise StoreError(
            f"The ledger of schedules at '{path}' was written by a later p2p: format {found}, not {FORMAT}.",
            cure="Use that version of p2p here too.",
        )
    if found < FORMAT:
        connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {FORMAT}; COMMIT;")


@overload
def text_of(moment: datetime) -> str: ...
@overload
def text_of(moment: None) -> None: ...
def text_of(moment: datetime | None) -> str | None:
    """A time as the ledger keeps it: UTC, of one width, so that it sorts as text."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="microseconds")


def time_of(text: str) -> datetime:
    """The time that the ledger keeps so."""
    return datetime.fromisoformat(text)
