"""The ledger: schedules and their ticks in one SQLite file, which any number of schedulers share.

Each change is one transaction that says what must be so before it; where it is not, nothing is changed and the caller
is told. So a tick is begun by one scheduler, and only the one that has it can say how it ended.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Final

from p2p.errors import InputRefused, TargetError, nearest
from p2p.scheduling.book import Book, text_of, time_of
from p2p.scheduling.dues import Dues
from p2p.scheduling.model import Missed, News, Overlap, Schedule, Skipped, Tick, TickKind, TickState
from p2p.scheduling.outbox import prune, readdress, tell

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


class Ledger(Book):
    """The schedules and ticks in the ledger."""

    def add(self, schedule: Schedule, now: datetime, *, replace: bool = False) -> None:
        """Add a schedule, whose ticks count from now.

        Raises:
            InputRefused: there is one of that name, and it is not to be replaced.
        """
        told = (schedule.name, _definition(schedule), text_of(now), text_of(now))
        with self._writing() as connection:
            earlier = _row(connection, schedule.name)
            if earlier and not replace:
                raise InputRefused(
                    f"There is a schedule '{schedule.name}'.", cure="Choose another name, or say --replace."
                )
            if earlier:
                readdress(connection, schedule.name, _schedule(earlier[0]).alerts, schedule.alerts, now)
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
                "WHERE schedule = ? AND state = 'due'", (text_of(now), name),
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
                (text_of(now), name, text_of(entry.looked), _definition(entry.schedule), entry.paused),
            ).rowcount
            if not changed:
                return False
            _put(connection, name, found.run, TickKind.DUE)
            connection.executemany(
                "INSERT INTO skipped VALUES (?, ?, ?, ?, ?)",
                [(name, text_of(one.first), text_of(one.last), one.count, one.reason) for one in found.skipped],
            )
            tell(connection, news, now)
        return True

    def ask(self, name: str, times: Sequence[datetime], kind: TickKind) -> list[Tick]:
        """Have a schedule run at these logical times too: those that it does not know, and those that came to nothing.

        Returns:
            The ticks of all these times, in order; done ones are as they were.
        """
        wanted = [text_of(time) for time in times]
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
            return [Skipped(time_of(row[0]), time_of(row[1]), row[2], row[3]) for row in rows]

    def last_over(self, name: str, before: datetime) -> Tick | None:
        """The last tick before a time that has run to its end, well or not."""
        with self._connected() as connection:
            found = _ticks(
                connection, "schedule = ? AND time < ? AND state IN ('done', 'failed')", name, text_of(before),
                order="time DESC", most=1,
            )  # fmt: skip
            return found[0] if found else None

    def last_in(self, name: str, state: TickState) -> Tick | None:
        """The last tick of a schedule that is in a state."""
        with self._connected() as connection:
            found = _ticks(connection, "schedule = ? AND state = ?", name, str(state), order="time DESC", most=1)
            return found[0] if found else None

    def count(self, name: str) -> dict[TickState, int]:
        """How many ticks of a schedule are in which state."""
        with self._connected() as connection:
            rows = connection.execute("SELECT state, COUNT(*) FROM ticks WHERE schedule = ? GROUP BY state", (name,))
            return {TickState(state): count for state, count in rows}

    def beat(self, owner: str, now: datetime) -> None:
        """Say that a scheduler is alive."""
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO schedulers VALUES (?, ?) ON CONFLICT (owner) DO UPDATE SET beat = excluded.beat",
                (owner, text_of(now)),
            )

    def beats(self) -> dict[str, datetime]:
        """When each scheduler was last alive."""
        with self._connected() as connection:
            return {owner: time_of(beat) for owner, beat in connection.execute("SELECT owner, beat FROM schedulers")}

    def forget(self, owner: str) -> None:
        """A scheduler has ended, and has no tick."""
        with self._writing() as connection:
            connection.execute("DELETE FROM schedulers WHERE owner = ?", (owner,))

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
                (owner, text_of(now), tick.id),
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
            reason, step, text_of(not_before),
        )  # fmt: skip

    def end(
        self, tick: Tick, state: TickState, now: datetime, *, reason: str = "", step: str = "",
        news: Sequence[News] = (),
    ) -> bool:  # fmt: skip
        """Say how a tick that is at work has ended; False as above."""
        return self._change(
            tick, "state = ?, ended = ?, reason = ?, step = ?, attempts = attempts + 1, owner = ''",
            str(state), text_of(now), reason, step, news=news, now=now,
        )  # fmt: skip

    def tell_late(self, tick: Tick, news: News, now: datetime) -> None:
        """Tell that a tick has not begun; once."""
        with self._writing() as connection:
            known = connection.execute(
                "SELECT 1 FROM news WHERE kind = 'late' AND schedule = ? AND time = ?",
                (tick.schedule, text_of(tick.time)),
            ).fetchone()
            if not known:
                tell(connection, [news], now)

    def prune(self, before: datetime, most: int) -> bool:
        """Delete news from before then that nobody needs, at most so much; gives whether there may be more of it."""
        with self._writing() as connection:
            return prune(connection, before, most) == most

    def drop(self, tick: Tick, state: TickState, now: datetime, reason: str) -> bool:
        """Say why a tick that is due is not run; False where it is not due any more."""
        with self._writing() as connection:
            return bool(connection.execute(
                "UPDATE ticks SET state = ?, ended = ?, reason = ? WHERE id = ? AND state = 'due'",
                (str(state), text_of(now), reason, tick.id),
            ).rowcount)  # fmt: skip

    def _change(
        self, tick: Tick, what: str, *values: Any, news: Sequence[News] = (), now: datetime | None = None
    ) -> bool:  # fmt: skip
        """Change a tick that is at work, as its scheduler began it."""
        with self._writing() as connection:
            changed = bool(connection.execute(
                f"UPDATE ticks SET {what} WHERE id = ? AND state = 'running' AND owner = ? AND began = ? "
                "AND attempts = ? AND interruptions = ?",
                (*values, tick.id, tick.owner, text_of(tick.began), tick.attempts, tick.interruptions),
            ).rowcount)  # fmt: skip
            if changed and now is not None:
                tell(connection, news, now)
            return changed


def _put(connection: sqlite3.Connection, name: str, times: Iterable[datetime], kind: TickKind) -> None:
    connection.executemany(
        "INSERT OR IGNORE INTO ticks (schedule, time, kind, state) VALUES (?, ?, ?, 'due')",
        [(name, text_of(time), str(kind)) for time in times],
    )


def _row(connection: sqlite3.Connection, name: str) -> tuple[Any, ...] | None:
    found: tuple[Any, ...] | None = connection.execute(
        "SELECT definition, looked, made, paused FROM schedules WHERE name = ?", (name,)
    ).fetchone()
    return found


def _entry(row: tuple[Any, ...]) -> Entry:
    return Entry(_schedule(row[0]), time_of(row[1]), time_of(row[2]), bool(row[3]))


def _ticks(
    connection: sqlite3.Connection, where: str, *values: Any, order: str = "time, id", most: int = -1
) -> list[Tick]:  # fmt: skip
    rows = connection.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM ticks WHERE {where} ORDER BY {order} LIMIT ?", (*values, most)
    )
    return [_tick(dict(zip(_COLUMNS, row, strict=True))) for row in rows]


def _tick(facts: dict[str, Any]) -> Tick:
    times = {name: time_of(facts[name]) if facts[name] else None for name in _TIMES}
    return Tick(**{**facts, **times, "kind": TickKind(facts["kind"]), "state": TickState(facts["state"])})


def _definition(schedule: Schedule) -> str:
    return json.dumps(asdict(schedule), sort_keys=True)


def _schedule(text: str) -> Schedule:
    facts = json.loads(text)
    return Schedule(**{
        **facts, "missed": Missed(facts["missed"]), "overlap": Overlap(facts["overlap"]),
        "alerts": tuple(facts["alerts"]),
    })  # fmt: skip
