"""The ledger: schedules and their ticks in one SQLite file, which any number of schedulers share.

Each change is one transaction that says what must be so before it; where it is not, nothing is changed and the caller
is told. So a tick is begun by one scheduler, and only the one that has it can say how it ended.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from p2p.errors import InputRefused, StoreError, TargetError, nearest
from p2p.files import make_folder
from p2p.scheduling.dues import Dues
from p2p.scheduling.model import Missed, News, Overlap, Schedule, Skipped, Tick, TickKind, TickState

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
    run_id TEXT NOT NULL, step TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, not_before TEXT NOT NULL,
    told TEXT, problem TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS schedulers (owner TEXT PRIMARY KEY, beat TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS skipped_of ON skipped (schedule, last);
"""
_COLUMNS: Final = tuple(field.name for field in fields(Tick))
_TIMES: Final = frozenset({"time", "not_before", "began", "ended"})


@dataclass(frozen=True)
class Entry:
    """A schedule in the ledger.

    Attributes:
        schedule: what it is.
        looked: up to when its ticks are known.
        made: when it was added.
        paused: whether it is.
    """

    schedule: Schedule
    looked: datetime
    made: datetime
    paused: bool


class Ledger:
    """Opens the ledger, and makes it where there is none. Each thread that uses it has a connection of its own.

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

    def close(self) -> None:
        """Close this thread's connection; it is opened again when it is needed."""
        found: sqlite3.Connection | None = getattr(self._of_thread, "connection", None)
        if found is not None:
            self._of_thread.connection = None
            found.close()

    def add(self, schedule: Schedule, now: datetime, *, replace: bool = False) -> None:
        """Add a schedule, whose ticks count from now.

        Raises:
            InputRefused: there is one of that name, and it is not to be replaced.
        """
        told = (schedule.name, _definition(schedule), _text(now), _text(now))
        with self._writing() as connection:
            if not replace and _row(connection, schedule.name):
                raise InputRefused(
                    f"There is a schedule '{schedule.name}'.", cure="Choose another name, or say --replace."
                )
            connection.execute(
                "INSERT INTO schedules (name, definition, looked, made) VALUES (?, ?, ?, ?) ON CONFLICT (name) "
                "DO UPDATE SET definition = excluded.definition, looked = excluded.looked", told,
            )  # fmt: skip

    def remove(self, name: str, now: datetime) -> None:
        """Take a schedule out; what has run of it stays in its history. TargetError where there is none."""
        with self._writing() as connection:
            self._known(connection, name)
            connection.execute("DELETE FROM schedules WHERE name = ?", (name,))
            connection.execute(
                "UPDATE ticks SET state = 'skipped', reason = 'the schedule was removed', ended = ? "
                "WHERE schedule = ? AND state = 'due'", (_text(now), name),
            )  # fmt: skip

    def pause(self, name: str, *, paused: bool) -> None:
        """Pause a schedule, or let it go on. TargetError where there is none."""
        with self._writing() as connection:
            self._known(connection, name)
            connection.execute("UPDATE schedules SET paused = ? WHERE name = ?", (paused, name))

    def entries(self) -> list[Entry]:
        """All schedules, by name."""
        with self._connected() as connection:
            rows = connection.execute("SELECT definition, looked, made, paused FROM schedules ORDER BY name")
            return [_entry(row) for row in rows]

    def entry(self, name: str) -> Entry:
        """One schedule; TargetError where there is none."""
        with self._connected() as connection:
            return _entry(self._known(connection, name))

    def _known(self, connection: sqlite3.Connection, name: str) -> tuple[Any, ...]:
        row = _row(connection, name)
        if row is None:
            names = [one for (one,) in connection.execute("SELECT name FROM schedules")]
            close = nearest(name, names)
            cure = f"Closest name: '{close}'." if close else f"There are: {', '.join(names) or 'none'}."
            raise TargetError(f"There is no schedule '{name}'.", cure=cure)
        return row

    def look(self, entry: Entry, now: datetime, found: Dues, news: Sequence[News] = ()) -> bool:
        """Put down what has become due since a schedule was looked at; False where another scheduler has done so."""
        name = entry.schedule.name
        with self._writing() as connection:
            changed = connection.execute(
                "UPDATE schedules SET looked = ? WHERE name = ? AND looked = ? AND definition = ? AND paused = ?",
                (_text(now), name, _text(entry.looked), _definition(entry.schedule), entry.paused),
            ).rowcount
            if not changed:
                return False
            _put(connection, name, found.run, TickKind.DUE)
            connection.executemany(
                "INSERT INTO skipped VALUES (?, ?, ?, ?, ?)",
                [(name, _text(one.first), _text(one.last), one.count, one.reason) for one in found.skipped],
            )
            _tell(connection, news, now)
        return True

    def ask(self, name: str, times: Sequence[datetime], kind: TickKind) -> list[Tick]:
        """Have a schedule run at these logical times too: those that it does not know, and those that came to nothing.

        Returns:
            The ticks of all these times, in order; done ones are as they were.
        """
        wanted = [_text(time) for time in times]
        with self._writing() as connection:
            self._known(connection, name)
            _put(connection, name, times, kind)
            connection.executemany(
                "UPDATE ticks SET state = 'due', kind = ?, attempts = 0, interruptions = 0, not_before = NULL, "
                "ended = NULL WHERE schedule = ? AND time = ? "
                "AND state IN ('failed', 'stopped', 'replaced', 'skipped')",
                [(str(kind), name, time) for time in wanted],
            )
            return [tick for time in wanted for tick in _ticks(connection, "schedule = ? AND time = ?", name, time)]

    def open_ticks(self) -> list[Tick]:
        """Ticks that are due or at work, by time."""
        with self._connected() as connection:
            return _ticks(connection, "state IN ('due', 'running')")

    def tick(self, number: int) -> Tick:
        """A tick by its number."""
        with self._connected() as connection:
            return _ticks(connection, "id = ?", number)[0]

    def history(self, name: str, most: int = 100) -> list[Tick]:
        """The last ticks of a schedule, the latest first."""
        with self._connected() as connection:
            return _ticks(connection, "schedule = ?", name, order="time DESC", most=most)

    def skipped(self, name: str, most: int = 100) -> list[Skipped]:
        """The last stretches of ticks that were missed and not run, the latest first."""
        with self._connected() as connection:
            rows = connection.execute(
                "SELECT first, last, count, reason FROM skipped WHERE schedule = ? ORDER BY last DESC LIMIT ?",
                (name, most),
            )
            return [Skipped(_time(row[0]), _time(row[1]), row[2], row[3]) for row in rows]

    def last_over(self, name: str, before: datetime) -> Tick | None:
        """The last tick before a time that has run to its end, well or not."""
        with self._connected() as connection:
            found = _ticks(
                connection, "schedule = ? AND time < ? AND state IN ('done', 'failed')", name, _text(before),
                order="time DESC", most=1,
            )  # fmt: skip
            return found[0] if found else None

    def beat(self, owner: str, now: datetime) -> None:
        """Say that a scheduler is alive."""
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO schedulers VALUES (?, ?) ON CONFLICT (owner) DO UPDATE SET beat = excluded.beat",
                (owner, _text(now)),
            )

    def beats(self) -> dict[str, datetime]:
        """When each scheduler was last alive."""
        with self._connected() as connection:
            return {owner: _time(beat) for owner, beat in connection.execute("SELECT owner, beat FROM schedulers")}

    def forget(self, owner: str) -> None:
        """A scheduler has ended, and has no tick."""
        with self._writing() as connection:
            connection.execute("DELETE FROM schedulers WHERE owner = ?", (owner,))

    def untold(self, now: datetime) -> list[News]:
        """What people have not been told yet and is to be told now, in order."""
        with self._connected() as connection:
            rows = connection.execute(
                "SELECT kind, schedule, time, text, run_id, step, id, tries FROM news "
                "WHERE told IS NULL AND not_before <= ? ORDER BY id", (_text(now),),
            )  # fmt: skip
            return [
                News(kind=r[0], schedule=r[1], time=_time(r[2]), text=r[3], run_id=r[4], step=r[5], id=r[6], tries=r[7])
                for r in rows
            ]

    def told(self, news: News, now: datetime) -> None:
        """People have been told of it."""
        with self._writing() as connection:
            connection.execute("UPDATE news SET told = ?, problem = '' WHERE id = ?", (_text(now), news.id))

    def not_told(self, news: News, problem: str, not_before: datetime | None) -> None:
        """It could not be told, and is to be tried again; not any more where there is no time for that."""
        with self._writing() as connection:
            connection.execute(
                "UPDATE news SET tries = tries + 1, problem = ?, not_before = COALESCE(?, not_before), "
                "told = CASE WHEN ? IS NULL THEN 'never' ELSE NULL END WHERE id = ?",
                (problem, _text(not_before), _text(not_before), news.id),
            )

    def claim(self, tick: Tick, owner: str, now: datetime, *, at_once: int, limit: int) -> Tick | None:
        """Take a tick that is due; None where it is not any more, or as many as may be are at work.

        Args:
            tick: the tick.
            owner: the scheduler that takes it.
            now: the time.
            at_once: how many of its schedule, and its kind, may be at work.
            limit: how many of all schedules may.
        """
        with self._writing() as connection:
            busy = [*connection.execute("SELECT schedule, kind FROM ticks WHERE state = 'running'")]
            if len(busy) >= limit or busy.count((tick.schedule, str(tick.kind))) >= at_once:
                return None
            taken = connection.execute(
                "UPDATE ticks SET state = 'running', owner = ?, began = ?, reason = '' WHERE id = ? AND state = 'due'",
                (owner, _text(now), tick.id),
            ).rowcount
            return _ticks(connection, "id = ?", tick.id)[0] if taken else None

    def opened(self, tick: Tick, run: str, run_id: str) -> bool:
        """Put down which run the attempt of a tick has opened; False where the tick is not its scheduler's any more."""
        return self._change(tick, "run = ?, run_id = ?", run, run_id)

    def again(
        self, tick: Tick, reason: str, not_before: datetime, *, step: str = "", interrupted: bool = False
    ) -> bool:  # fmt: skip
        """Have a tick that is at work run again, as its attempt has failed or was cut short; False as above."""
        counted = "interruptions = interruptions + 1" if interrupted else "attempts = attempts + 1"
        return self._change(
            tick, f"state = 'due', owner = '', reason = ?, step = ?, not_before = ?, {counted}",
            reason, step, _text(not_before),
        )  # fmt: skip

    def end(
        self, tick: Tick, state: TickState, now: datetime, *, reason: str = "", step: str = "",
        news: Sequence[News] = (),
    ) -> bool:  # fmt: skip
        """Say how a tick that is at work has ended; False as above."""
        return self._change(
            tick, "state = ?, ended = ?, reason = ?, step = ?, attempts = attempts + 1, owner = ''",
            str(state), _text(now), reason, step, news=news, now=now,
        )  # fmt: skip

    def tell_late(self, tick: Tick, news: News, now: datetime) -> None:
        """Tell that a tick has not begun; once."""
        with self._writing() as connection:
            known = connection.execute(
                "SELECT 1 FROM news WHERE kind = 'late' AND schedule = ? AND time = ?",
                (tick.schedule, _text(tick.time)),
            ).fetchone()
            if not known:
                _tell(connection, [news], now)

    def drop(self, tick: Tick, state: TickState, now: datetime, reason: str) -> bool:
        """Say why a tick that is due is not run; False where it is not due any more."""
        with self._writing() as connection:
            return bool(connection.execute(
                "UPDATE ticks SET state = ?, ended = ?, reason = ? WHERE id = ? AND state = 'due'",
                (str(state), _text(now), reason, tick.id),
            ).rowcount)  # fmt: skip

    def _change(
        self, tick: Tick, what: str, *values: Any, news: Sequence[News] = (), now: datetime | None = None
    ) -> bool:  # fmt: skip
        """Change a tick that is at work, as its scheduler began it."""
        with self._writing() as connection:
            changed = bool(connection.execute(
                f"UPDATE ticks SET {what} WHERE id = ? AND state = 'running' AND owner = ? AND began = ? "
                "AND attempts = ? AND interruptions = ?",
                (*values, tick.id, tick.owner, _text(tick.began), tick.attempts, tick.interruptions),
            ).rowcount)  # fmt: skip
            if changed and now is not None:
                _tell(connection, news, now)
            return changed


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


def _put(connection: sqlite3.Connection, name: str, times: Iterable[datetime], kind: TickKind) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO ticks (schedule, time, kind, state) VALUES (?, ?, ?, 'due')",
        [(name, _text(time), str(kind)) for time in times],
    )


def _tell(connection: sqlite3.Connection, news: Sequence[News], now: datetime) -> None:
    connection.executemany(
        "INSERT INTO news (kind, schedule, time, text, run_id, step, not_before) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(one.kind, one.schedule, _text(one.time), one.text, one.run_id, one.step, _text(now)) for one in news],
    )


def _row(connection: sqlite3.Connection, name: str) -> tuple[Any, ...] | None:
    found: tuple[Any, ...] | None = connection.execute(
        "SELECT definition, looked, made, paused FROM schedules WHERE name = ?", (name,)
    ).fetchone()
    return found


def _entry(row: tuple[Any, ...]) -> Entry:
    return Entry(_schedule(row[0]), _time(row[1]), _time(row[2]), bool(row[3]))


def _ticks(
    connection: sqlite3.Connection, where: str, *values: Any, order: str = "time, id", most: int = -1
) -> list[Tick]:  # fmt: skip
    rows = connection.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM ticks WHERE {where} ORDER BY {order} LIMIT ?", (*values, most)
    )
    return [_tick(dict(zip(_COLUMNS, row, strict=True))) for row in rows]


def _tick(facts: dict[str, Any]) -> Tick:
    times = {name: _time(facts[name]) if facts[name] else None for name in _TIMES}
    return Tick(**{**facts, **times, "kind": TickKind(facts["kind"]), "state": TickState(facts["state"])})


def _definition(schedule: Schedule) -> str:
    return json.dumps(asdict(schedule), sort_keys=True)


def _schedule(text: str) -> Schedule:
    facts = json.loads(text)
    return Schedule(**{
        **facts, "missed": Missed(facts["missed"]), "overlap": Overlap(facts["overlap"]),
        "alerts": tuple(facts["alerts"]),
    })  # fmt: skip


def _text(moment: datetime | None) -> str | None:
    """A time as the ledger keeps it: UTC, of one width, so that it sorts as text."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="microseconds")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
