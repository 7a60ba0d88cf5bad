"""Which ticks of a schedule are to run, now that it is so late: what was missed is decided here, and nowhere else."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from p2p.scheduling.model import Missed, Schedule, Skipped
from p2p.scheduling.triggers import times

TOO_OLD: Final = "older than the window of {} in which missed ticks are run"
NOT_RUN: Final = "missed, and missed ticks of this schedule are skipped"
STOOD_FOR: Final = "missed, and a later tick stands for it"
TOO_MANY: Final = "missed, and no more than the last {} are run"


@dataclass(frozen=True)
class Dues:
    """What has become due.

    Attributes:
        run: logical times of the ticks that are to run, in order.
        skipped: those that are not, in order.
    """

    run: tuple[datetime, ...]
    skipped: tuple[Skipped, ...]


def dues(schedule: Schedule, after: datetime, now: datetime) -> Dues:
    """What has become due of a schedule since it was last looked at.

    A tick that is not later than its grace is on time, and always runs. What is older was missed: the policy says what
    becomes of it.

    Args:
        schedule: the schedule.
        after: when it was looked at.
        now: the time.
    """
    on_time, missed, old = _sorted(schedule, after, now)
    kept, dropped, why = _by_policy(schedule, missed, stood_for=bool(on_time))
    window = _days(schedule.window)
    found = (_skipped(old, TOO_OLD.format(window)), _skipped(dropped, why))
    return Dues((*kept, *on_time), tuple(one for one in found if one is not None))


def _sorted(schedule: Schedule, after: datetime, now: datetime) -> tuple[list[datetime], _Stretch, _Stretch]:
    """The ticks that are on time, those that were missed, and those that are too old."""
    on_time: list[datetime] = []
    missed, old = _Stretch(_kept_at_most(schedule)), _Stretch(0)
    grace, window = timedelta(seconds=schedule.grace), timedelta(seconds=schedule.window)
    for time in times(schedule.trigger, after, now):
        if now - time <= grace:
            on_time.append(time)
        elif now - time > window:
            old.add(time)
        else:
            missed.add(time)
    return on_time, missed, old


class _Stretch:
    """Ticks one after the other, of which only the last few are remembered: there may be a million.

    Args:
        size: how many.
    """

    def __init__(self, size: int) -> None:
        self.tail: deque[datetime] = deque(maxlen=size + 1)  # one more: the last of those that are not kept
        self.first: datetime | None = None
        self.count = 0

    def add(self, time: datetime) -> None:
        self.first = self.first or time
        self.count += 1
        self.tail.append(time)

    def split(self, kept: int) -> tuple[tuple[datetime, ...], _Stretch]:
        """The last `kept` of them, and the stretch before."""
        last = [*self.tail]
        cut = len(last) - min(kept, len(last))
        before = _Stretch(0)
        before.first, before.count = self.first, self.count - (len(last) - cut)
        if before.count:
            before.tail.append(last[cut - 1])
        return tuple(last[cut:]), before


def _kept_at_most(schedule: Schedule) -> int:
    return {Missed.SKIP: 0, Missed.LATEST: 1, Missed.ALL: schedule.most}[schedule.missed]


def _by_policy(
    schedule: Schedule, missed: _Stretch, *, stood_for: bool
) -> tuple[Iterable[datetime], _Stretch, str]:  # fmt: skip
    """Which missed ticks run, which do not, and why."""
    if schedule.missed is Missed.SKIP:
        return *missed.split(0), NOT_RUN
    if schedule.missed is Missed.LATEST:
        return *missed.split(0 if stood_for else 1), STOOD_FOR
    return *missed.split(schedule.most), TOO_MANY.format(schedule.most)


def _skipped(stretch: _Stretch, reason: str) -> Skipped | None:
    if stretch.first is None or not stretch.count:
        return None
    return Skipped(stretch.first, stretch.tail[-1], stretch.count, reason)


def _days(seconds: float) -> str:
    return str(timedelta(seconds=seconds))
