"""What is written means the same times, in words that all crons read alike; what has no words is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p2p.errors import InputRefused
from p2p.scheduling.exports.systemd import on_calendar
from p2p.scheduling.exports.times import apart, listed, plain_calendar
from p2p.scheduling.model import Schedule
from p2p.scheduling.triggers import read_trigger, times

NOW = datetime(2026, 11, 28, 12, 7, tzinfo=UTC)


def _next(when: str, zone: str = "UTC", count: int = 30) -> list[datetime]:
    return [*islice(times(read_trigger(when, zone), NOW, NOW + timedelta(days=3000)), count)]


def _schedule(when: str, zone: str = "UTC") -> Schedule:
    return Schedule(name="s", target="t", when=when, zone=zone)


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    span = st.tuples(number, number).map(lambda two: f"{min(two)}-{max(two)}")
    step = st.tuples(st.just("*") | span, st.integers(1, 9)).map(lambda two: f"{two[0]}/{two[1]}")
    return st.just("*") | st.lists(number.map(str) | span | step, min_size=1, max_size=3).map(",".join)


@settings(max_examples=300, deadline=None)
@given(fields=st.tuples(_field(0, 59), _field(0, 23), _field(1, 28), _field(1, 12), _field(0, 7)))
def test_five_fields_mean_the_same_as_lists_of_numbers(fields: tuple[str, ...]) -> None:
    when = " ".join(fields)
    try:
        calendar = plain_calendar(_schedule(when), "cron")
    except InputRefused as refused:
        assert "by its number and by its weekday" in str(refused)  # noqa: PT017  # what is not refused is compared
        assert "*" in fields[2] + fields[4]
        return
    assert not {*calendar.text} - {*"0123456789,-* "}
    assert _next(calendar.text) == _next(when)


@pytest.mark.parametrize(
    ("when", "text"),
    [
        ("0 6 * * 1-5", "0 6 * * 1-5"), ("0 6 * * MON-FRI", "0 6 * * 1-5"), ("*/15 * * * *", "0,15,30,45 * * * *"),
        ("@daily", "0 0 * * *"), ("0 0 * * 7", "0 0 * * 0"), ("0 0 1-31 * 1", "0 0 * * *"),
        ("0 0 13 * 5", "0 0 13 * 5"),
        ("every 15 min", "0,15,30,45 * * * *"), ("every hour", "0 * * * *"), ("every 6 h", "0 0,6,12,18 * * *"),
        ("every day", "0 0 * * *"), ("every week", "0 0 * * 4"), ("every minute", "* * * * *"),
    ],
)  # fmt: skip
def test_words_for_times(when: str, text: str) -> None:
    assert plain_calendar(_schedule(when), "cron").text == text
    assert _next(text) == _next(when)


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ("every 7 min", "does not come again"), ("every 30 s", "does not come again"),
        ("every 36 h", "does not come again"),
        ("at 2027-01-01 06:00", "comes once"), ("0 6 L * *", "a last day"),
        ("0 6 * * FRI#2", "by its number in the month"),
        ("0 6 LW * *", "a last day"), ("0 6 * * 5L", "a last day"), ("0 6 */2 * 1", "by its number and by its weekday"),
    ],
)  # fmt: skip
def test_what_cron_has_no_words_for_is_refused_with_a_cure(when: str, why: str) -> None:
    with pytest.raises(InputRefused, match=why) as refused:
        plain_calendar(_schedule(when), "cron")
    assert "Prefect" in str(refused.value) or "p2p schedule start" in str(refused.value)


@pytest.mark.parametrize(
    ("when", "events"),
    [
        ("0 6 * * 1-5", ["Mon,Tue,Wed,Thu,Fri *-*-* 6:0:00 Europe/Berlin"]),
        ("0 6 L * *", ["*-*~1 6:0:00 Europe/Berlin"]),
        ("0 6 1,L * *", ["*-*-1 6:0:00 Europe/Berlin", "*-*~1 6:0:00 Europe/Berlin"]),
        ("0 6 * * FRI#2", ["Fri *-*-8..14 6:0:00 Europe/Berlin"]),
        ("0 6 13 * 5", ["*-*-13 6:0:00 Europe/Berlin", "Fri *-*-* 6:0:00 Europe/Berlin"]),
        ("0 6 */15 2 1", ["Mon *-2-1,16,31 6:0:00 Europe/Berlin"]),
        ("0 6 1-31 * 1", ["*-*-* 6:0:00 Europe/Berlin"]),
        ("at 2027-01-01 06:00", ["2027-01-01 05:00:00 UTC"]),
        ("every 6 h", ["*-*-* 0,6,12,18:0:00 UTC"]),
    ],
)
def test_events_of_systemd(when: str, events: list[str]) -> None:
    assert on_calendar(_schedule(when, "Europe/Berlin")) == events


@pytest.mark.parametrize("when", ["0 6 LW * *", "0 6 * * 5L", "every 7 min"])
def test_what_systemd_has_no_words_for_is_refused(when: str) -> None:
    with pytest.raises(InputRefused):
        on_calendar(_schedule(when))


def test_neighbours_are_a_range() -> None:
    assert listed((1, 2, 3, 7, 9, 10)) == "1-3,7,9,10"


def test_zones_are_apart_by_what_their_clocks_show() -> None:
    assert apart("Etc/UTC", "UTC") == {0}
    assert apart("Europe/Berlin", "UTC") == {3600, 7200}
    assert apart("Asia/Kolkata", "UTC") == {19_800}
