"""What two that share a ledger may do at the same moment: the second one is told that it came too late."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from p2p.errors import InputRefused, StoreError, TargetError
from p2p.scheduling.book import FORMAT
from p2p.scheduling.dues import dues
from p2p.scheduling.ledger import Ledger
from p2p.scheduling.model import Schedule, TickKind, TickState

NOON = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
NIGHTLY = Schedule(name="nightly", target="notebooks/a.ipynb", when="0 * * * *")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path / "schedules.db", durable=False)
    made.add(NIGHTLY, NOON - timedelta(hours=5))
    yield made
    made.close()


def test_what_is_due_is_put_down_by_the_one_who_looked_first(ledger: Ledger) -> None:
    entry = ledger.entry("nightly")
    found = dues(entry.schedule, entry.looked, NOON)
    assert ledger.look(entry, NOON, found)
    assert not ledger.look(entry, NOON, found)
    assert len(ledger.history("nightly")) == len(ledger.skipped("nightly")) == 1


def test_a_schedule_that_was_changed_meanwhile_is_looked_at_again(ledger: Ledger) -> None:
    entry = ledger.entry("nightly")
    ledger.pause("nightly", paused=True)
    assert not ledger.look(entry, NOON, dues(entry.schedule, entry.looked, NOON))
    ledger.add(Schedule(name="nightly", target="b", when="30 * * * *"), NOON, replace=True)
    assert not ledger.look(entry, NOON, dues(entry.schedule, entry.looked, NOON))
    assert ledger.history("nightly") == []


def test_a_tick_is_claimed_once_and_changed_by_the_one_who_has_it(ledger: Ledger) -> None:
    (tick,) = ledger.ask("nightly", [NOON], TickKind.DUE)
    mine = ledger.claim(tick, "me", NOON, at_once=9, limit=9)
    assert mine is not None
    assert ledger.claim(tick, "you", NOON, at_once=9, limit=9) is None
    assert ledger.again(mine, "it was cut short", NOON, interrupted=True)
    assert not ledger.end(mine, TickState.DONE, NOON)  # it is nobody's now
    yours = ledger.claim(ledger.tick(tick.id), "you", NOON, at_once=9, limit=9)
    assert yours is not None
    assert not ledger.opened(mine, "run", "id")
    assert not ledger.end(mine, TickState.DONE, NOON)
    assert ledger.end(yours, TickState.DONE, NOON)
    assert not ledger.end(yours, TickState.FAILED, NOON)
    assert not ledger.drop(tick, TickState.SKIPPED, NOON, "too late")
    assert ledger.tick(tick.id).state is TickState.DONE


def test_a_removed_schedule_leaves_its_history_and_nothing_that_would_run(ledger: Ledger) -> None:
    done, waits = ledger.ask("nightly", [NOON, NOON + timedelta(hours=1)], TickKind.DUE)
    mine = ledger.claim(done, "me", NOON, at_once=9, limit=9)
    assert mine is not None
    ledger.end(mine, TickState.DONE, NOON)
    ledger.remove("nightly", NOON)
    assert [(t.time, t.state) for t in ledger.history("nightly")] == [
        (waits.time, TickState.SKIPPED), (done.time, TickState.DONE),
    ]  # fmt: skip
    with pytest.raises(TargetError):
        ledger.entry("nightly")


def test_a_name_is_taken_once(ledger: Ledger) -> None:
    with pytest.raises(InputRefused, match="There is a schedule 'nightly'"):
        ledger.add(NIGHTLY, NOON)


def test_what_a_later_p2p_wrote_is_left_alone(ledger: Ledger) -> None:
    with sqlite3.connect(ledger.path) as connection:
        connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    connection.close()
    with pytest.raises(StoreError, match="written by a later p2p"):
        Ledger(ledger.path)


def test_a_file_that_is_no_ledger_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "schedules.db"
    path.write_bytes(b"not a database, and long enough to be read as one" * 100)
    with pytest.raises(StoreError, match="cannot be used"):
        Ledger(path)
