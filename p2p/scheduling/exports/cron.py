"""Cron: a line of a crontab. Its time zone is the machine's, but for cronie, which reads CRON_TZ."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

from p2p.errors import InputRefused
from p2p.scheduling.exports.command import command_of
from p2p.scheduling.exports.model import Exported, Order, Per
from p2p.scheduling.exports.policies import Words, unsaid
from p2p.scheduling.exports.times import Calendar, apart, plain_calendar
from p2p.scheduling.model import Missed, Overlap
from p2p.scheduling.triggers import local_zone

_LONGEST: Final = 998  # bytes of a line that Debian's cron reads
_KILL_AFTER: Final = 60  # seconds from the interrupt of a run that takes too long


class Crontab:
    """Cron: see `Target`."""

    name = "cron"
    elsewhere = False
    per = (Per.RUN,)

    def write(self, order: Order) -> Exported:
        """A crontab."""
        schedule = order.schedule
        calendar = plain_calendar(schedule, "cron")
        zone = _zone(order, calendar)
        notes = (*unsaid(schedule, _words()), *_zone_notes(order, zone))
        line = f"{calendar.text} {_command(order)}"
        if len(line.encode()) > _LONGEST:
            raise InputRefused(
                f"Schedule '{schedule.name}': its line has {len(line.encode())} bytes, and cron reads {_LONGEST}.",
                cure="Write it for systemd, or have the notebook read long values from a file.",
            )
        head = ["A schedule of p2p for crontab -e. Written by p2p schedule export.", *notes]
        lines = [*(f"# {text}" for text in head), *([f"CRON_TZ={zone}"] if zone and order.cron_zone else []), line]
        return Exported({f"{schedule.name}.crontab": "".join(f"{one}\n" for one in lines)}, notes)


def _zone(order: Order, calendar: Calendar) -> str:
    """The zone that the line needs; empty where it means the same in that of the machine."""
    here = local_zone()
    differences = apart(calendar.zone, here)
    if calendar.of_the_hour and all(seconds % 3600 == 0 for seconds in differences):
        return ""
    if differences == {0} and not order.cron_zone:
        return here
    if not order.cron_zone:
        raise InputRefused(
            f"Schedule '{order.schedule.name}' goes by the clocks of {calendar.zone}, and cron by this machine's "
            f"({here}).",
            cure="Where cron is cronie, say --cron-tz; otherwise write it for systemd, or add it with --tz "
            f"{here}.",
        )  # fmt: skip
    return calendar.zone


def _zone_notes(order: Order, zone: str) -> tuple[str, ...]:
    if not zone:
        return ()
    if order.cron_zone:
        return ("CRON_TZ holds for all lines below it; only cronie reads it, others go by the machine's clocks",)
    return (f"the times are those of the machine's clocks, which are those of {zone}",)


def _command(order: Order) -> str:
    schedule = order.schedule
    lock = f"{order.folder}/mlruns/p2p/schedule-{schedule.name}.lock"
    wait = ["-n", "-E", "0"] if schedule.overlap is Overlap.SKIP else []
    words = ["flock", "-o", *wait, lock]
    if schedule.timeout is not None:
        words += ["timeout", "-s", "INT", "-k", str(_KILL_AFTER), f"{schedule.timeout:g}"]
    words += command_of(order)
    return f"cd {quoted(order.folder)} && {in_line(words)}"


def in_line(words: Sequence[str]) -> str:
    """Words for the shell, as a crontab's line has them."""
    return " ".join(map(quoted, words))


def quoted(word: str) -> str:
    r"""A word for the shell in a crontab, where `\%` is a `%` and a `%` alone is the end of the command.

    A backslash never stands beside another one, or before a `%` that it does not belong to: crons read `\\` in
    different ways.

    Raises:
        InputRefused: it has a line's end or another control character, for which a crontab has no place.
    """
    if any(unicodedata.category(one) in ("Cc", "Zl", "Zp") for one in word):
        raise InputRefused(
            f"{word!r:.120} has a control character or a line's end, for which a crontab has no place.",
            cure="Write it for systemd, or have the notebook read the value from a file.",
        )
    if word and all(one.isascii() and (one.isalnum() or one in "-_./=:,+@") for one in word):
        return word
    parts = {"'": "'\"'\"'", "\\": "\\''", "%": "'\\%'"}
    return "'" + "".join(parts.get(one, one) for one in word) + "'"


def _words() -> Words:
    return Words(
        tool="cron", overlap={Overlap.SKIP: "", Overlap.QUEUE: "runs that wait for each other do so in no order"},
        missed={Missed.SKIP: "", Missed.LATEST: "missed runs are not made up for"},
        others=frozenset({"timeout", "grace", "window"}),
    )  # fmt: skip
