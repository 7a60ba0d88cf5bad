"""Which ticks run after nobody has looked for a while: the set for each policy and each time, as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from p2p.scheduling.dues import dues
from p2p.scheduling.model import Missed, Schedule

DOWN = {
    "0 s": timedelta(0), "1 s": timedelta(seconds=1), "1 h": timedelta(hours=1), "3 d": timedelta(days=3),
    "400 d": timedelta(days=400),
}  # fmt: skip
UP = datetime(2026, 11, 28, 12, 0, 30, tzinfo=UTC)  # half a minute after a tick of each schedule, which is on time
NOON = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
WINDOW = 100 * 86_400.0
HOURLY, DAILY, MINUTELY = "0 * * * *", "0 12 * * *", "* * * * *"
# By policy and by the time that nobody has looked: the times that run (hours before noon), how many are skipped, and of
# those how many are older than the window.
TABLE = {
    "skip": {
        "0 s": ([], 0, 0), "1 s": ([], 0, 0), "1 h": ([0], 0, 0), "3 d": ([0], 71, 0), "400 d": ([0], 9599, 7200),
    },
    "latest": {
        "0 s": ([], 0, 0), "1 s": ([], 0, 0), "1 h": ([0], 0, 0), "3 d": ([0], 71, 0), "400 d": ([0], 9599, 7200),
    },
    "all": {
        "0 s": ([], 0, 0), "1 s": ([], 0, 0), "1 h": ([0], 0, 0), "3 d": ([3, 2, 1, 0], 68, 0),
        "400 d": ([3, 2, 1, 0], 9596, 7200),
    },
}  # fmt: skip


def looked(schedule: Schedule, down: str, up: datetime = UP) -> tuple[list[datetime], int, int]:
    """What runs, how many ticks do not, and how many of those are older than the window."""
    found = dues(schedule, up - DOWN[down], up)
    old = sum(one.count for one in found.skipped if "window" in one.reason)
    return [*found.run], sum(one.count for one in found.skipped), old


def schedule(when: str, missed: str) -> Schedule:
    return Schedule(name="a", target="b", when=when, missed=Missed(missed), most=3, window=WINDOW)


CELLS = [(policy, down) for policy in TABLE for down in DOWN]


@pytest.mark.parametrize(("policy", "down"), CELLS)
def test_an_hour_s_ticks_when_the_last_one_is_on_time(policy: str, down: str) -> None:
    hours, skipped, old = TABLE[policy][down]
    assert looked(schedule(HOURLY, policy), down) == ([NOON - timedelta(hours=h) for h in hours], skipped, old)


# The same half an hour later: nothing is on time any more.
LATE = {
    "skip": {"0 s": ([], 0), "1 s": ([], 0), "1 h": ([], 1), "3 d": ([], 72), "400 d": ([], 9600)},
    "latest": {"0 s": ([], 0), "1 s": ([], 0), "1 h": ([0], 0), "3 d": ([0], 71), "400 d": ([0], 9599)},
    "all": {"0 s": ([], 0), "1 s": ([], 0), "1 h": ([0], 0), "3 d": ([2, 1, 0], 69), "400 d": ([2, 1, 0], 9597)},
}


@pytest.mark.parametrize(("policy", "down"), CELLS)
def test_an_hour_s_ticks_when_none_is_on_time(policy: str, down: str) -> None:
    hours, skipped = LATE[policy][down]
    run, not_run, _ = looked(schedule(HOURLY, policy), down, UP + timedelta(minutes=30))
    assert (run, not_run) == ([NOON - timedelta(hours=h) for h in hours], skipped)


def test_a_day_s_tick_that_is_older_than_the_window_never_runs() -> None:
    late = UP + timedelta(hours=1)
    found = dues(schedule(DAILY, "all"), late - DOWN["400 d"], late)
    assert [*found.run] == [NOON - timedelta(days=d) for d in (2, 1, 0)]
    assert [(one.count, one.reason) for one in found.skipped] == [
        (300, "older than the window of 100 days, 0:00:00 in which missed ticks are run"),
        (97, "missed, and no more than the last 3 are run"),
    ]
    narrow = Schedule(name="a", target="b", when=DAILY, missed=Missed.LATEST, window=1800.0)
    assert dues(narrow, late - DOWN["1 h"], late).run == ()


def test_half_a_million_ticks_are_skipped_as_one_stretch() -> None:
    found = dues(schedule(MINUTELY, "latest"), UP - DOWN["400 d"], UP)
    assert found.run == (NOON,)
    assert sum(one.count for one in found.skipped) == 400 * 24 * 60 - 1
    assert len(found.skipped) == 2
    old, missed = found.skipped
    assert old.last + timedelta(minutes=1) == missed.first
    assert missed.last == NOON - timedelta(minutes=1)


def test_grace_says_what_is_on_time() -> None:
    late = NOON + timedelta(minutes=10)
    for grace, runs in ((599.0, 0), (600.0, 1)):
        found = dues(
            Schedule(name="a", target="b", when=HOURLY, missed=Missed.SKIP, grace=grace),
            NOON - timedelta(minutes=5),
            late,
        )
        assert len(found.run) == runs
