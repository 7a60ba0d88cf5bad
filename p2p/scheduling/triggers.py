"""When a schedule is due: by cron's five fields, at an interval, or once. Knows the calendar, and nothing of runs.

Times go in and come out as aware UTC datetimes; what is local is said by a zone's name. Where clocks are changed, a
job at a fixed hour goes by Debian's cron: one in the hour that is left out is due right after it, and one in the hour
that comes twice is due the first time. A job at every minute or hour, or at an interval, goes by real time.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo, available_timezones

from p2p.errors import InputRefused, nearest
from p2p.scheduling.extra import needed

_NAMED: Final = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}  # fmt: skip
_FIELDS: Final = ("minute", "hour", "day of the month", "month", "day of the week")
_UNITS: Final = {
    "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hour": 3600,
    "d": 86_400, "day": 86_400, "w": 604_800, "week": 604_800,
}  # fmt: skip
_EVERY: Final = re.compile(r"every\s+(\d{1,9})?\s*([a-z]+?)s?", re.ASCII | re.IGNORECASE)
_WAYS: Final = 'Write cron\'s five fields ("0 6 * * 1-5"), "every 15 min", or "at 2026-12-31 06:00".'
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LOCALTIME: Final = Path("/etc/localtime")


class Trigger(Protocol):
    """Says when.

    Attributes:
        text: as it is written.
    """

    @property
    def text(self) -> str: ...

    def after(self, moment: datetime) -> datetime | None:
        """The first time later than a moment; None when there is none any more."""
        ...

    def before(self, moment: datetime) -> datetime | None:
        """The last time earlier than a moment; None when there is none."""
        ...


@dataclass(frozen=True)
class Cron:
    """Cron's five fields in a zone: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday).

    Where both days are restricted, either is enough, as in cron. `L` is the last day of a month, and `FRI#2` the second
    Friday.
    """

    text: str
    zone: str

    def after(self, moment: datetime) -> datetime | None:
        for utc in _calendar(self, moment):
            if utc > moment:  # within the hour that comes twice, the first time is over
                return utc
        return None

    def before(self, moment: datetime) -> datetime | None:
        with contextlib.suppress(OverflowError):  # the calendar has an end, where no zone is any more
            for utc in _calendar(self, moment, reverse=True):
                if utc < moment:
                    return utc
        return None


@dataclass(frozen=True)
class Every:
    """An interval, counted from midnight UTC of 1970-01-01, so that all schedulers agree: `every 15 min` is :00, :15

    Weeks are counted from that Thursday; use cron's fields for a day of the week.
    """

    seconds: int
    text: str

    def after(self, moment: datetime) -> datetime | None:
        step = timedelta(seconds=self.seconds)
        return _EPOCH + ((moment - _EPOCH) // step + 1) * step

    def before(self, moment: datetime) -> datetime | None:
        step = timedelta(seconds=self.seconds)
        return _EPOCH - ((_EPOCH - moment) // step + 1) * step


@dataclass(frozen=True)
class Once:
    """One moment."""

    moment: datetime
    text: str

    def after(self, moment: datetime) -> datetime | None:
        return self.moment if self.moment > moment else None

    def before(self, moment: datetime) -> datetime | None:
        return self.moment if self.moment < moment else None


def cron_fields(text: str) -> str:
    """Cron's five fields, where a text is a name for them such as `@daily`."""
    return _NAMED.get(text.lower(), text)


def times(trigger: Trigger, after: datetime, until: datetime) -> Iterator[datetime]:
    """The times of a trigger that are later than `after` and not later than `until`, in order."""
    if isinstance(trigger, Cron):
        yield from _cron_times(trigger, after, until)
        return
    found = trigger.after(after)
    while found is not None and found <= until:
        yield found
        found = trigger.after(found)


def _cron_times(trigger: Cron, after: datetime, until: datetime) -> Iterator[datetime]:
    """The same in one go through the calendar: a minute's job has half a million times a year."""
    last = after
    for found in _cronsim().CronSim(cron_fields(trigger.text), after.astimezone(ZoneInfo(trigger.zone))):
        utc = found.astimezone(UTC)
        if utc > until:
            return
        if utc > last:  # two times in the hour that is left out are due at one moment
            yield utc
            last = utc


@lru_cache(maxsize=256)
def read_trigger(text: str, zone: str = "UTC", *, now: datetime | None = None) -> Trigger:
    """The trigger that a text stands for.

    Args:
        text: cron's five fields or a name such as `@daily`; `every 15 min`; or `at 2026-12-31 06:00` (an ISO date and
            time, in the zone unless it has an offset).
        zone: name of a time zone.
        now: the time, aware; what can never be due after it is refused. Of what was read before, it is not asked.

    Raises:
        InputRefused: it cannot be read, or is never due.
    """
    told = " ".join(text.split())
    check_zone(zone)
    if told.lower().startswith("every"):
        trigger: Trigger = _every(told)
    elif told.lower().startswith("at ") or re.match(r"\d{4}-", told):
        trigger = _once(told, zone)
    else:
        trigger = _cron(told, zone)
    if now is not None and _never(trigger, now):
        raise _refused(text, "it is never due" if isinstance(trigger, Cron) else "that is over")
    return trigger


def read_moment(text: str, zone: str, option: str) -> datetime:
    """A date or time, in a zone unless it has an offset; InputRefused where it is none."""
    check_zone(zone)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InputRefused(
            f"{option} is {text!r:.60}, which is no date or time.", cure="Write 2026-01-31 or 2026-01-31T06:00."
        ) from None
    return (found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def check_zone(zone: str) -> None:
    """InputRefused, with the closest name, where a time zone is not known."""
    try:
        known = bool(zone) and ZoneInfo(zone).key == zone
    except (KeyError, ValueError, OSError):  # not found, a path, or no zone's name
        known = False
    if not known:
        close = nearest(zone, available_timezones())
        raise InputRefused(
            f"'{zone:.60}' is no time zone.", cure=f"Closest name: '{close}'." if close else "Europe/Berlin is one."
        )


def local_zone() -> str:
    """The name of this machine's time zone; UTC where it has none."""
    try:
        told = str(_LOCALTIME.resolve(strict=True)).partition("zoneinfo/")[2]
    except OSError:
        return "UTC"
    try:
        return ZoneInfo(told).key
    except (KeyError, ValueError, OSError):
        return "UTC"


def _never(trigger: Trigger, now: datetime) -> bool:
    try:
        return trigger.after(now) is None
    except (OverflowError, ValueError):  # the calendar ends with the year 9999
        return True


def _calendar(trigger: Cron, moment: datetime, *, reverse: bool = False) -> Iterator[datetime]:
    """The calendar's times from a moment on, or back."""
    start = moment.astimezone(ZoneInfo(trigger.zone))
    for found in _cronsim().CronSim(cron_fields(trigger.text), start, reverse=reverse):
        yield found.astimezone(UTC)


def _cronsim() -> Any:
    return needed("cronsim", "A schedule by cron's fields")


def _cron(text: str, zone: str) -> Cron:
    cronsim = _cronsim()
    fields = cron_fields(text).split()
    if len(fields) != len(_FIELDS):
        raise _refused(text, f"it has {len(fields)} fields, and not five")
    for name, field, at in zip(_FIELDS, fields, range(5), strict=True):
        alone = ["*"] * 5
        alone[at] = field
        try:
            cronsim.CronSim(" ".join(alone), _EPOCH)
        except cronsim.CronSimError:
            raise _refused(text, f"'{field}' is no {name}") from None
    try:
        cronsim.CronSim(" ".join(fields), _EPOCH)
    except cronsim.CronSimError:  # each field is right: it is the date that no month has
        raise _refused(text, "no such month has that day") from None
    return Cron(text, zone)


def _every(text: str) -> Every:
    match = _EVERY.fullmatch(text)
    unit = _UNITS.get(match[2].lower(), 0) if match else 0
    number = int((match[1] if match else None) or 1)
    if not unit or not number:
        raise _refused(text, "that is no interval")
    return Every(number * unit, text)


def _once(text: str, zone: str) -> Once:
    told = text[3:] if text.lower().startswith("at ") else text
    try:
        found = datetime.fromisoformat(told)
    except ValueError as error:
        raise _refused(text, f"{error}") from None
    if found.tzinfo is not None:
        return Once(found.astimezone(UTC), text)
    local = found.replace(tzinfo=ZoneInfo(zone))
    moment = local.astimezone(UTC)
    if moment.astimezone(local.tzinfo).replace(tzinfo=None) != found:
        raise _refused(text, f"the clocks of {zone} leave that time out")
    return Once(moment, text)


def _refused(text: str, why: str) -> InputRefused:
    return InputRefused(f"{text!r:.120} is no time for a schedule: {why}.", cure=_WAYS, fields={"trigger": text})
