"""Parameters that stand for a fact of the tick: `{logical_date}` and a few others, and nothing that is a template.

A value is such a field, all of it, or it is a text like any other. The fact is written as text, which the parameter's
own type reads, as it does what is typed on a command line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from p2p.errors import InputRefused, nearest
from p2p.scheduling.model import Schedule
from p2p.scheduling.triggers import Once

_FIELD: Final = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True)
class _Facts:
    """The tick's time and the one before it, by the clocks of the schedule's zone."""

    time: datetime
    previous: datetime


FIELDS: Final[Mapping[str, tuple[str, Callable[[_Facts], str]]]] = {
    "logical_time": ("when the tick was due, with its offset: 2026-11-28T06:00:00+01:00", lambda f: f.time.isoformat()),
    "logical_date": ("its date in the schedule's time zone: 2026-11-28", lambda f: f.time.date().isoformat()),
    "previous_time": ("when the tick before it was due", lambda f: f.previous.isoformat()),
    "previous_date": ("the date of that", lambda f: f.previous.date().isoformat()),
    "year": ("the year of the logical date", lambda f: str(f.time.year)),
    "month": ("its month, 1 to 12", lambda f: str(f.time.month)),
    "day": ("its day of the month, 1 to 31", lambda f: str(f.time.day)),
    "hour": ("the hour of the logical time, 0 to 23", lambda f: str(f.time.hour)),
}


def check_fields(schedule: Schedule) -> None:
    """InputRefused where a value is a field that does not exist, or that the schedule's ticks do not have."""
    for name, value in schedule.params.items():
        field = field_of(value)
        if field is None:
            continue
        if field not in FIELDS:
            close = nearest(field, FIELDS)
            known = ", ".join(f"{{{one}}}" for one in FIELDS)
            cure = f"Closest: {{{close}}}." if close else f"There are: {known}."
            raise InputRefused(f"Parameter '{name}' is {value}, which is no field of a tick.", cure=cure)
        if field.startswith("previous") and isinstance(schedule.trigger, Once):
            raise InputRefused(
                f"Parameter '{name}' is {value}, and the schedule runs once: no tick comes before.",
                cure="Write the value itself.",
            )


def field_of(value: str) -> str | None:
    """The field that a value is; None where it is a text of its own."""
    match = _FIELD.fullmatch(value)
    return match[1] if match else None


def at(schedule: Schedule, time: datetime) -> dict[str, str]:
    """The parameters of a tick, as text.

    Args:
        schedule: the schedule.
        time: the tick's logical time.
    """
    zone = ZoneInfo(schedule.zone)
    facts = _Facts(time.astimezone(zone), (schedule.trigger.before(time) or time).astimezone(zone))
    return {name: _filled(value, facts) for name, value in schedule.params.items()}


def filled(
    params: Mapping[str, str], when: str, zone: str, *, now: datetime, moment: datetime | None = None
) -> dict[str, str]:
    """The parameters of a run that another scheduler has started, as text.

    Args:
        params: its parameters, some of which may be fields.
        when: the trigger.
        zone: the time zone that it is meant in.
        now: the time.
        moment: the logical time, where the other scheduler tells one; else the last time of the trigger.

    Raises:
        InputRefused: a field does not exist, or no time of the trigger has come yet.
    """
    schedule = Schedule(name="run", target="", when=when, zone=zone, params=params)
    check_fields(schedule)
    time = moment or schedule.trigger.before(now + timedelta(microseconds=1))
    if time is None:
        raise InputRefused(f"'{when:.80}' is still to come.", cure="Say the time that is meant: --at TIME.")
    return at(schedule, time)


def _filled(value: str, facts: _Facts) -> str:
    field = field_of(value)
    return value if field is None else FIELDS[field][1](facts)
