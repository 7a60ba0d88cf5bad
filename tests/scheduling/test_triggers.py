"""When schedules are due: cron in the standard meaning, where clocks change, at the ends of months, and in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from p2p.errors import InputRefused
from p2p.scheduling.triggers import Cron, check_zone, read_trigger, times

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)  # a Saturday


def local(trigger: str, zone: str, day: str, days: int = 1) -> list[str]:
    """The times of a trigger in some days of a zone, by its clocks, with the offset where it is not the day's first."""
    first = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
    until = (datetime.fromisoformat(day) + timedelta(days=days)).replace(tzinfo=ZoneInfo(zone))
    found = times(
        Cron(trigger, zone), first.astimezone(UTC) - timedelta(seconds=1), until.astimezone(UTC) - timedelta(seconds=1)
    )
    return [f"{time.astimezone(ZoneInfo(zone)):%d %H:%M%z}" for time in found]


# Zone, the day on which an hour (or a half) is left out, a time within it, and when a job at that time is due instead.
LEFT_OUT = [
    ("Europe/Berlin", "2026-03-29", "30 2", ["29 03:00+0200"]),
    ("America/New_York", "2026-03-08", "30 2", ["08 03:00-0400"]),
    ("Pacific/Auckland", "2026-09-27", "30 2", ["27 03:00+1300"]),
    ("Australia/Lord_Howe", "2026-10-04", "15 2", ["04 02:30+1100"]),
    ("Africa/Cairo", "2026-04-24", "30 0", ["24 01:00+0300"]),
]
# Zone, the day on which an hour (or a half) comes twice, a time within it, and when a job at that time is due.
TWICE = [
    ("Europe/Berlin", "2026-10-25", "30 2", ["25 02:30+0200"]),
    ("America/New_York", "2026-11-01", "30 1", ["01 01:30-0400"]),
    ("Pacific/Auckland", "2026-04-05", "30 2", ["05 02:30+1300"]),
    ("Australia/Lord_Howe", "2026-04-05", "45 1", ["05 01:45+1100"]),
    ("Africa/Cairo", "2026-10-29", "30 23", ["29 23:30+0300"]),
]


@pytest.mark.parametrize(("zone", "day", "at", "due"), LEFT_OUT)
def test_a_job_in_the_hour_that_is_left_out_is_due_right_after_it(zone: str, day: str, at: str, due: list[str]) -> None:
    assert local(f"{at} * * *", zone, day) == due
    assert len(local(f"{at} * * *", zone, day, days=3)) == 3


def test_two_jobs_in_the_hour_that_is_left_out_are_due_as_one() -> None:
    assert local("0,30 2 * * *", "Europe/Berlin", "2026-03-29") == ["29 03:00+0200"]


@pytest.mark.parametrize(("zone", "day", "at", "due"), TWICE)
def test_a_job_in_the_hour_that_comes_twice_is_due_the_first_time(zone: str, day: str, at: str, due: list[str]) -> None:
    assert local(f"{at} * * *", zone, day) == due
    assert len(local(f"{at} * * *", zone, day, days=3)) == 3


@pytest.mark.parametrize(("zone", "day", "at", "due"), [*LEFT_OUT, *TWICE])
def test_a_job_at_each_quarter_of_an_hour_goes_by_real_time(zone: str, day: str, at: str, due: list[str]) -> None:
    first = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) - timedelta(seconds=1)
    found = [*times(Cron("*/15 * * * *", zone), first, first + timedelta(days=1, hours=3))]
    assert {b - a for a, b in pairwise(found)} == {timedelta(minutes=15)}
    assert len(found) == 27 * 4


@pytest.mark.parametrize(("zone", "day", "at", "due"), TWICE)
def test_within_the_hour_that_comes_twice_a_job_that_is_over_is_not_due_again(
    zone: str, day: str, at: str, due: list[str]
) -> None:
    trigger = Cron(f"{at} * * *", zone)
    done = trigger.after(datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC))
    assert done is not None
    for minutes in range(0, 90, 10):
        following = trigger.after(done + timedelta(minutes=minutes))
        assert following is not None
        assert following - done > timedelta(hours=20)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("0 6 * * 1-5", ["30 06:00", "01 06:00", "02 06:00"]),
        ("0 6 * * 0", ["29 06:00", "06 06:00", "13 06:00"]),
        ("0 6 * * 7", ["29 06:00", "06 06:00", "13 06:00"]),
        ("0 6 * * SUN", ["29 06:00", "06 06:00", "13 06:00"]),
        ("0 6 * * mon", ["30 06:00", "07 06:00", "14 06:00"]),
        ("0 6 * * 5-7", ["29 06:00", "04 06:00", "05 06:00"]),
        ("0 0 1 jan *", ["01 00:00", "01 00:00", "01 00:00"]),
        ("0 0 13 * 5", ["04 00:00", "11 00:00", "13 00:00"]),  # either day is enough
        ("0 0 L * *", ["30 00:00", "31 00:00", "31 00:00"]),
        ("0 0 31 * *", ["31 00:00", "31 00:00", "31 00:00"]),
        ("0 0 * * fri#2", ["11 00:00", "08 00:00", "12 00:00"]),
        ("@daily", ["29 00:00", "30 00:00", "01 00:00"]),
        ("@weekly", ["29 00:00", "06 00:00", "13 00:00"]),
        ("every 6 hours", ["28 18:00", "29 00:00", "29 06:00"]),
        ("every 90 min", ["28 13:30", "28 15:00", "28 16:30"]),
        ("every day", ["29 00:00", "30 00:00", "01 00:00"]),
        ("at 2026-12-01 06:00", ["01 06:00"]),
        ("2026-12-01T06:00+02:00", ["01 04:00"]),
    ],
)
def test_what_is_meant_is_what_is_due(text: str, due: list[str]) -> None:
    found = times(read_trigger(text, now=NOW), NOW, NOW + timedelta(days=1200))
    assert [f"{time:%d %H:%M}" for time, _ in zip(found, range(3), strict=False)] == due


def test_the_29th_of_february_comes_each_fourth_year_but_not_in_2100() -> None:
    found = times(read_trigger("0 0 29 2 *", now=NOW), NOW, datetime(2112, 1, 1, tzinfo=UTC))
    assert [time.year for time in found] == [*range(2028, 2097, 4), 2104, 2108]


def test_the_ends_of_months_are_those_of_each_month() -> None:
    found = times(
        read_trigger("0 0 28-31 * *", now=NOW), datetime(2028, 1, 31, tzinfo=UTC), datetime(2028, 4, 1, tzinfo=UTC)
    )
    assert [f"{time:%m-%d}" for time in found] == ["02-28", "02-29", "03-28", "03-29", "03-30", "03-31"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0 0 30 2 *", "no such month has that day"),
        ("0 0 31 4,6,9,11 *", "no such month has that day"),
        ("60 * * * *", "'60' is no minute"),
        ("0 24 * * *", "'24' is no hour"),
        ("0 0 0 * *", "'0' is no day of the month"),
        ("0 0 * 13 *", "'13' is no month"),
        ("0 0 * * 8", "'8' is no day of the week"),
        ("0 0 * * FRI-MON", "'FRI-MON' is no day of the week"),
        ("*/0 * * * *", "is no minute"),
        ("0 0 * * * *", "it has 6 fields, and not five"),
        ("", "it has 0 fields"),
        ("@reboot", "it has 1 fields"),
        ("every 0 min", "that is no interval"),
        ("every blue moon", "that is no interval"),
        ("at 2026-02-30 06:00", "day is out of range for month"),
        ("at 2026-11-28 11:59", "that is over"),
        ("at 2027-03-28 02:30", "the clocks of Europe/Berlin leave that time out"),
        ("; rm -rf /", "it has 4 fields"),
        ("0 0 * * *\n* * * * * root", "it has 11 fields"),
    ],
)
def test_what_cannot_be_is_refused_and_says_why(text: str, why: str) -> None:
    with pytest.raises(InputRefused, match="is no time for a schedule") as refused:
        read_trigger(text, "Europe/Berlin", now=NOW)
    assert why in str(refused.value)


@pytest.mark.parametrize("zone", ["Europe/Berln", "../../etc/passwd", "", "/etc/localtime", "europe/berlin", "\0"])
def test_a_zone_that_is_not_known_is_refused(zone: str) -> None:
    with pytest.raises(InputRefused, match="is no time zone"):
        check_zone(zone)
