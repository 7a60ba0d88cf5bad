"""A schedule's times in the words that all crons share: lists of numbers, so that no dialect reads them another way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from p2p.errors import InputRefused
from p2p.scheduling.extra import needed
from p2p.scheduling.model import Schedule
from p2p.scheduling.triggers import Cron, Every, cron_fields

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS: Final = 2 * 366
_DAY, _HOUR, _MINUTE = 86_400, 3600, 60


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """Cron's five fields as numbers; None where any is right.

    Attributes:
        minutes, hours, days, months: as in cron.
        weekdays: 0 is Sunday.
        last_day: the last day of a month counts as well.
        nth: weekdays of which only the one of that number in its month counts: (5, 2) is the second Friday.
        both: whether a day must be right by both, its number and its weekday; otherwise either is enough.
        zone: the time zone.
    """

    minutes: tuple[int, ...] | None = None
    hours: tuple[int, ...] | None = None
    days: tuple[int, ...] | None = None
    months: tuple[int, ...] | None = None
    weekdays: tuple[int, ...] | None = None
    last_day: bool = False
    nth: tuple[tuple[int, int], ...] = ()
    both: bool = False
    zone: str = "UTC"

    @property
    def text(self) -> str:
        """Cron's five fields."""
        return " ".join(map(listed, (self.minutes, self.hours, self.days, self.months, self.weekdays)))

    @property
    def of_the_hour(self) -> bool:
        """Whether only the minute says when."""
        return (self.hours, self.days, self.months, self.weekdays) == (None,) * 4 and not (self.last_day or self.nth)


def calendar_of(schedule: Schedule, tool: str) -> Calendar:
    """When a schedule is due, for a tool with a cron of its own; InputRefused where that is no matter of a calendar."""
    trigger = schedule.trigger
    if isinstance(trigger, Cron):
        return _of_cron(trigger)
    if isinstance(trigger, Every):
        return _of_interval(trigger.seconds, schedule, tool)
    raise _refused(schedule, tool, "a time that comes once", "Write it for systemd, or leave it to p2p schedule start.")


def plain_calendar(schedule: Schedule, tool: str) -> Calendar:
    """The same for a tool that has cron's five fields and nothing more."""
    found = calendar_of(schedule, tool)
    cure = "Write it for systemd, or leave it to p2p schedule start."
    if found.last_day or found.nth:
        raise _refused(schedule, tool, "a last day, or a weekday by its number in the month", cure)
    if found.both and found.days is not None and found.weekdays is not None:
        raise _refused(schedule, tool, "a day that must be right by its number and by its weekday", cure)
    return found


def listed(numbers: tuple[int, ...] | None) -> str:
    """Numbers as cron's list, in which neighbours are a range."""
    if numbers is None:
        return "*"
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][-1] + 1:
            ranges[-1].append(number)
        else:
            ranges.append([number])
    return ",".join(_range(one) for one in ranges)


def _range(numbers: list[int]) -> str:
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}{',' if len(numbers) == 2 else '-'}{numbers[-1]}"


def apart(one: str, other: str) -> set[int]:
    """By how many seconds the clocks of two zones are apart, on the days of the next two years."""
    zones, now = (ZoneInfo(one), ZoneInfo(other)), datetime.now(UTC)
    days = [now + timedelta(days=day) for day in range(_DAYS)]
    return {_offset(zones[0], day) - _offset(zones[1], day) for day in days}


def _offset(zone: ZoneInfo, moment: datetime) -> int:
    found = moment.astimezone(zone).utcoffset()
    assert found is not None  # a zone with a name always knows
    return int(found.total_seconds())


def _of_cron(trigger: Cron) -> Calendar:
    cronsim = needed("cronsim", "A schedule by cron's fields").CronSim
    found = cronsim(cron_fields(trigger.text), _EPOCH)
    plain = {day % 7 for day in found.weekdays if isinstance(day, int)}
    nth = tuple(sorted(day for day in found.weekdays if not isinstance(day, int)))
    days = _some((day for day in found.days if day > 0), range(1, 32))
    weekdays = None if len(plain) == 7 else tuple(sorted(plain))
    special = min(found.days) < 0
    if cronsim.LAST_WEEKDAY in found.days or any(number < 0 for _day, number in nth):
        nth, special = ((-1, -1),), False  # neither has a word anywhere else
    if not found.day_and and ((days is None and not special) or weekdays is None):
        days, weekdays, nth, special = None, None, (), False  # either is enough, and one of them is any day
    return Calendar(
        minutes=_some(found.minutes, range(60)), hours=_some(found.hours, range(24)), days=days,
        months=_some(found.months, range(1, 13)), weekdays=weekdays, last_day=special, nth=nth, both=found.day_and,
        zone=trigger.zone,
    )  # fmt: skip


def _some(numbers: Iterable[int], every: range) -> tuple[int, ...] | None:
    found = tuple(sorted(set(numbers)))
    return None if len(found) == len(every) else found


def _of_interval(seconds: int, schedule: Schedule, tool: str) -> Calendar:
    """An interval that is counted from midnight UTC of a Thursday, where a calendar says the same."""
    if seconds == 7 * _DAY:
        return Calendar(minutes=(0,), hours=(0,), weekdays=(4,))
    if seconds == _DAY:
        return Calendar(minutes=(0,), hours=(0,))
    if seconds % _HOUR == 0 and _DAY % seconds == 0:
        return Calendar(minutes=(0,), hours=_some(range(0, 24, seconds // _HOUR), range(24)))
    if seconds % _MINUTE == 0 and _HOUR % seconds == 0:
        return Calendar(minutes=_some(range(0, 60, seconds // _MINUTE), range(60)))
    cure = "Write an interval that divides an hour or a day, or cron's five fields; Prefect takes any."
    raise _refused(schedule, tool, "an interval that does not come again at the same times of each day", cure)


def _refused(schedule: Schedule, tool: str, what: str, cure: str) -> InputRefused:
    return InputRefused(f"{tool} has no words for '{schedule.when:.80}': {what}.", cure=cure)
