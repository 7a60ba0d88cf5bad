"""systemd: a service that runs once, and the timer that starts it."""

from __future__ import annotations

import unicodedata
from datetime import UTC
from typing import Final

from p2p.errors import InputRefused
from p2p.scheduling.exports.command import command_of
from p2p.scheduling.exports.model import Exported, Order, Per
from p2p.scheduling.exports.policies import Words, unsaid
from p2p.scheduling.exports.times import Calendar, calendar_of, listed
from p2p.scheduling.model import Missed, Overlap, Schedule
from p2p.scheduling.triggers import Once

_WEEKDAYS: Final = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")


class Systemd:
    """systemd: see `Target`."""

    name = "systemd"
    elsewhere = False
    per = (Per.RUN,)

    def write(self, order: Order) -> Exported:
        """A `.service` and a `.timer`."""
        name = f"p2p-{order.schedule.name}"
        notes = unsaid(order.schedule, _words())
        head = "".join(f"# {text}\n" for text in ("A schedule of p2p. Written by p2p schedule export.", *notes))
        return Exported({f"{name}.service": head + _service(order), f"{name}.timer": head + _timer(order)}, notes)


def _service(order: Order) -> str:
    timeout = order.schedule.timeout
    program, *words = command_of(order)
    lines = [
        "[Unit]", f"Description=p2p schedule {order.schedule.name}", "", "[Service]", "Type=oneshot",
        f"WorkingDirectory={_path(order.folder)}",
        f"ExecStart={quoted(_absolute(program), program=True)} {' '.join(map(quoted, words))}",
        f"TimeoutStartSec={'infinity' if timeout is None else f'{timeout:g}s'}", "KillMode=mixed",
    ]  # fmt: skip
    return "".join(f"{line}\n" for line in lines)


def _timer(order: Order) -> str:
    schedule = order.schedule
    lines = [
        "[Unit]", f"Description=Times of p2p schedule {schedule.name}", "", "[Timer]",
        *(f"OnCalendar={one}" for one in on_calendar(schedule)), "AccuracySec=1s",
        f"Persistent={'false' if schedule.missed is Missed.SKIP else 'true'}", "", "[Install]",
        "WantedBy=timers.target",
    ]  # fmt: skip
    return "".join(f"{line}\n" for line in lines)


def on_calendar(schedule: Schedule) -> list[str]:
    """When it is due, in systemd's calendar events: any of them."""
    trigger = schedule.trigger
    if isinstance(trigger, Once):
        return [f"{trigger.moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"]
    calendar = calendar_of(schedule, "systemd")
    if any(number < 1 for _day, number in calendar.nth):
        raise InputRefused(
            f"systemd has no words for '{schedule.when:.80}': the last working day of a month, or a last weekday.",
            cure="Leave it to p2p schedule start.",
        )
    days, weekdays = _days(calendar), _weekdays(calendar)
    time = f"{_listed(calendar.hours)}:{_listed(calendar.minutes)}:00 {calendar.zone}"
    month = _listed(calendar.months)
    pairs = [(w, d) for w in weekdays for d in days] if calendar.both else [("", d) for d in days] + [
        (w, "-*") for w in weekdays
    ]  # fmt: skip
    if not calendar.both and (calendar.days, calendar.weekdays) == (None, None) and not calendar.last_day:
        pairs = [("", "-*")]
    return [f"{_merged(weekday, day, month)} {time}" for weekday, day in pairs if _merged(weekday, day, month)]


def _days(calendar: Calendar) -> list[str]:
    """Days of a month: each an alternative."""
    plain = ["-*"] if calendar.days is None else [f"-{_listed(calendar.days)}"] if calendar.days else []
    return plain + (["~1"] if calendar.last_day else [])


def _weekdays(calendar: Calendar) -> list[str]:
    """Weekdays: each an alternative, one by its number in the month with a `#`."""
    if calendar.weekdays is None:
        return [""]
    plain = [",".join(_WEEKDAYS[day] for day in calendar.weekdays)] if calendar.weekdays else []
    return plain + [f"{_WEEKDAYS[day % 7]}#{number}" for day, number in calendar.nth]


def _merged(weekday: str, day: str, month: str) -> str:
    name, nth, number = weekday.partition("#")
    if nth:
        if day != "-*":
            raise InputRefused(
                "systemd has no words for a weekday by its number in the month together with a day of the month.",
                cure="Leave it to p2p schedule start.",
            )
        day = f"-{7 * int(number) - 6}..{min(7 * int(number), 31)}"
    return f"{name} *-{month}{day}".strip()


def _listed(numbers: tuple[int, ...] | None) -> str:
    return listed(numbers).replace("-", "..")


def quoted(word: str, *, program: bool = False) -> str:
    """A word of a command line in a unit file: no specifier, no variable, no escape but those made here.

    Args:
        word: the word.
        program: whether it is the program, in whose path systemd looks for no variables.
    """
    escapes = {"\\": "\\\\", '"': '\\"', "%": "%%", **({} if program else {"$": "$$"})}
    return '"' + "".join(escapes.get(one) or _seen(one) for one in word) + '"'


def _seen(one: str) -> str:
    if unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp"):
        return "".join(f"\\x{byte:02x}" for byte in one.encode())
    return one


def _path(folder: str) -> str:
    """A path as the whole of a setting: there is no quoting there, and blanks at its ends are lost."""
    odd = any(unicodedata.category(one) in ("Cc", "Zl", "Zp") for one in folder)
    if odd or folder != folder.strip() or folder.endswith("\\"):
        raise InputRefused(
            f"The folder {folder!r:.120} cannot be written into a unit file.",
            cure="Name another path to it, such as a link: --folder PATH.",
        )
    return _absolute(folder).replace("%", "%%")


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise InputRefused(f"systemd wants a whole path, and not {path!r:.120}.", cure="Begin it with '/'.")
    return path


def _words() -> Words:
    return Words(
        tool="systemd", overlap={Overlap.SKIP: ""}, missed={Missed.SKIP: "", Missed.LATEST: ""},
        others=frozenset({"timeout", "grace"}),
    )  # fmt: skip
