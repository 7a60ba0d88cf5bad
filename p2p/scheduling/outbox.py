"""What people are to be told, in the ledger's file: news, and for each of it an alert to each address.

An alert is claimed by one sender, as a tick is by one scheduler. What could not be sent stays, with the problem, for
the next try.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from p2p.scheduling.book import Book, text_of, time_of
from p2p.scheduling.model import Alert, AlertState, News

_ALERTS: Final = (
    "SELECT a.id, a.address, a.state, a.owner, a.tries, a.problem, a.not_before, n.id, n.kind, n.schedule, n.time, "
    "n.text, n.run_id, n.step, n.zone, n.made, COALESCE(t.run, '') FROM alerts a JOIN news n ON n.id = a.news "
    "LEFT JOIN ticks t ON t.schedule = n.schedule AND t.time = n.time AND t.run_id = n.run_id "
)  # fmt: skip


class Outbox(Book):
    """The alerts in the ledger."""

    def due(self, now: datetime) -> list[Alert]:
        """What is to be sent now, in order."""
        return self._alerts("WHERE a.state = 'due' AND a.not_before <= ? ORDER BY a.id", text_of(now))

    def unsent(self) -> list[Alert]:
        """All that has not been sent and will be, or was to be, in order."""
        return self._alerts("WHERE a.state = 'due' ORDER BY a.id")

    def given_up(self, most: int = 20) -> list[Alert]:
        """The last of what never could be sent, the latest first."""
        return self._alerts("WHERE a.state = 'given up' ORDER BY a.id DESC LIMIT ?", most)

    def news(self) -> list[News]:
        """What somebody has not been told yet, in order."""
        found = {alert.news.id: alert.news for alert in self.unsent()}
        return [*found.values()]

    def count(self) -> dict[AlertState, int]:
        """How many alerts are in which state."""
        with self._connected() as connection:
            found = dict(connection.execute("SELECT state, COUNT(*) FROM alerts GROUP BY state").fetchall())
            return {state: found.get(str(state), 0) for state in AlertState}

    def claim(self, alert: Alert, owner: str) -> bool:
        """Take an alert for sending, as it was seen; False where another sender has been quicker."""
        with self._writing() as connection:
            return bool(connection.execute(
                "UPDATE alerts SET owner = ? WHERE id = ? AND state = 'due' AND owner = ? AND tries = ?",
                (owner, alert.id, alert.owner, alert.tries),
            ).rowcount)  # fmt: skip

    def told(self, alert: Alert, now: datetime) -> None:
        """It has been sent, so its address can be reached: what waits for that may be tried now."""
        with self._writing() as connection:
            connection.execute(
                "UPDATE alerts SET state = 'told', owner = '', problem = '', ended = ? WHERE id = ?",
                (text_of(now), alert.id),
            )
            connection.execute(
                "UPDATE alerts SET not_before = ? WHERE address = ? AND state = 'due' AND not_before > ?",
                (text_of(now), alert.address, text_of(now)),
            )

    def not_told(self, alert: Alert, problem: str, not_before: datetime) -> None:
        """It could not be sent, and is to be tried again then; so is all that waits for the same address."""
        with self._writing() as connection:
            connection.execute(
                "UPDATE alerts SET owner = '', tries = tries + 1, problem = ?, not_before = ? WHERE id = ?",
                (problem, text_of(not_before), alert.id),
            )
            connection.execute(
                "UPDATE alerts SET not_before = ?, problem = ? WHERE address = ? AND state = 'due' AND not_before < ?",
                (text_of(not_before), problem, alert.address, text_of(not_before)),
            )

    def give_up(self, alert: Alert, problem: str, now: datetime) -> None:
        """It could not be sent, and is not tried any more."""
        with self._writing() as connection:
            connection.execute(
                "UPDATE alerts SET state = 'given up', owner = '', tries = tries + 1, problem = ?, ended = ? "
                "WHERE id = ?", (problem, text_of(now), alert.id),
            )  # fmt: skip

    def _alerts(self, where: str, *values: Any) -> list[Alert]:
        with self._connected() as connection:
            return [_alert(row) for row in connection.execute(_ALERTS + where, values)]


def tell(connection: sqlite3.Connection, news: Sequence[News], now: datetime) -> None:
    """Put news down, in the transaction of what it tells of, with an alert to each address of its schedule."""
    for one in news:
        row = connection.execute("SELECT definition FROM schedules WHERE name = ?", (one.schedule,)).fetchone()
        schedule = json.loads(row[0]) if row else {"alerts": (), "zone": "UTC"}
        made = connection.execute(
            "INSERT INTO news (kind, schedule, time, text, run_id, step, zone, made) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (one.kind, one.schedule, text_of(one.time), one.text, one.run_id, one.step, schedule["zone"], text_of(now)),
        )
        assert made.lastrowid is not None
        _address(connection, [made.lastrowid], schedule["alerts"], now)


def prune(connection: sqlite3.Connection, before: datetime, most: int) -> int:
    """Delete news from before then, and its alerts: no more pieces of it at once than this. Gives how many it were.

    What somebody is still to be told stays, and so does news of a tick that is not over, which would be told again.
    """
    gone = connection.execute(
        "SELECT id FROM news AS n WHERE made < ? "
        "AND NOT EXISTS (SELECT 1 FROM alerts WHERE news = n.id AND state = 'due') "
        "AND NOT EXISTS (SELECT 1 FROM ticks WHERE schedule = n.schedule AND time = n.time "
        "AND state IN ('due', 'running')) ORDER BY id LIMIT ?", (text_of(before), most),
    ).fetchall()  # fmt: skip
    connection.executemany("DELETE FROM alerts WHERE news = ?", gone)
    connection.executemany("DELETE FROM news WHERE id = ?", gone)
    return len(gone)


def readdress(
    connection: sqlite3.Connection, name: str, before: Sequence[str], after: Sequence[str], now: datetime
) -> None:  # fmt: skip
    """A schedule has other addresses: what the old ones have not got goes to those that are new."""
    waiting: set[int] = set()
    for gone in set(before) - set(after):
        waiting |= {number for (number,) in connection.execute(
            "SELECT news FROM alerts WHERE address = ? AND state = 'due' "
            "AND news IN (SELECT id FROM news WHERE schedule = ?)", (gone, name),
        )}  # fmt: skip
        connection.execute(
            "DELETE FROM alerts WHERE address = ? AND state = 'due' "
            "AND news IN (SELECT id FROM news WHERE schedule = ?)", (gone, name),
        )  # fmt: skip
    _address(connection, sorted(waiting), [one for one in after if one not in before], now)


def _address(connection: sqlite3.Connection, news: Iterable[int], addresses: Iterable[str], now: datetime) -> None:
    addresses = [*addresses]
    connection.executemany(
        "INSERT OR IGNORE INTO alerts (news, address, not_before) VALUES (?, ?, ?)",
        [(number, address, text_of(now)) for number in news for address in addresses],
    )


def _alert(row: Sequence[Any]) -> Alert:
    news = News(
        id=row[7], kind=row[8], schedule=row[9], time=time_of(row[10]), text=row[11], run_id=row[12], step=row[13],
        zone=row[14], made=time_of(row[15]), run=row[16],
    )  # fmt: skip
    return Alert(
        id=row[0], news=news, address=row[1], state=AlertState(row[2]), owner=row[3], tries=row[4], problem=row[5],
        not_before=time_of(row[6]),
    )  # fmt: skip
