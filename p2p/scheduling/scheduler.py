"""The scheduler: looks at the clock and the ledger, begins what is due, and puts down how it ended. One turn at a time.

Nothing here waits, starts a process or knows what a run is: the executor does that, and the clock is given. So whatever
may happen can be played through, as tests do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from p2p.model import RunStatus
from p2p.scheduling.dues import Dues, dues
from p2p.scheduling.ledger import Entry, Ledger
from p2p.scheduling.model import News, Overlap, Schedule, Skipped, Tick, TickKind, TickState
from p2p.scheduling.triggers import times

MOST_INTERRUPTIONS: Final = 20  # of one tick: what ends its scheduler each time must not do so for ever
KEPT: Final = timedelta(days=400)  # news: when a yearly schedule fails, that of its last time is still there
PRUNED_AT_ONCE: Final = 500  # pieces of news: the others that share the ledger do not wait for it
_PRUNE_EVERY: Final = timedelta(days=1)
_PAUSED: Final = "the schedule was paused"


@dataclass(frozen=True)
class Opened:
    """The attempt of a tick has opened its run.

    Attributes:
        tick: number of the tick.
        run: key of the run.
        run_id: MLflow's id of it.
    """

    tick: int
    run: str
    run_id: str


@dataclass(frozen=True)
class Ended:
    """The attempt of a tick is over.

    Attributes:
        tick: number of the tick.
        status: of its run; None where none was opened, as it was refused.
        error: why, where it is not FINISHED.
        step: the step that failed.
        run: key of its run, where that was not told before.
        run_id: MLflow's id of it.
    """

    tick: int
    status: RunStatus | None
    error: str = ""
    step: str = ""
    run: str = ""
    run_id: str = ""


class Executor(Protocol):
    """Runs ticks; each method returns at once."""

    def start(self, tick: Tick, schedule: Schedule) -> None:
        """Begin an attempt; it goes on from the run of an earlier one, where there is one."""
        ...

    def stop(self, tick: int) -> None:
        """Have an attempt end as KILLED."""
        ...

    def heard(self) -> Sequence[Opened | Ended]:
        """What has happened since the last call, in order."""
        ...

    def left(self, tick: Tick) -> Ended | None:
        """How the attempt ended whose scheduler is dead; None while it is still at work."""
        ...


@dataclass
class _AtWork:
    tick: Tick
    schedule: Schedule
    stopped: TickState | None = None  # what it is to become, where we have stopped it
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much is done at once.

    Attributes:
        at_once: ticks of all schedules.
        of_each: ticks of each schedule, whatever it says itself; None for what it says.
        kinds: which ticks are run here.
        only: schedules that are looked after; None for all.
    """

    at_once: int = 4
    of_each: int | None = None
    kinds: frozenset[TickKind] = frozenset({TickKind.DUE})
    only: frozenset[str] | None = None


class Scheduler:
    """One of those that share a ledger.

    Args:
        ledger: the ledger.
        executor: runs ticks.
        owner: this scheduler, as others see it.
        lives: whether another one does, by its name and when it was last seen.
        now: the clock.
        limits: how much is done at once.
        log: told what is done, with its facts.
    """

    def __init__(
        self, ledger: Ledger, executor: Executor, owner: str, lives: Callable[[str, datetime | None], bool],
        now: Callable[[], datetime], limits: Limits | None = None, log: Callable[..., None] | None = None,
    ) -> None:  # fmt: skip
        self.ledger = ledger
        self.owner = owner
        self._executor = executor
        self._lives = lives
        self._now = now
        self._limits = limits or Limits()
        self._log = log or _nowhere
        self._at_work: dict[int, _AtWork] = {}
        self._untold: deque[Opened | Ended] = deque()
        self._draining = False
        self._pruned: datetime | None = None

    @property
    def busy(self) -> bool:
        """Whether a tick is at work here."""
        return bool(self._at_work)

    def turn(self) -> datetime | None:
        """Do all that is to be done now; gives when the clock alone will bring something, None for never."""
        now = self._now()
        self.ledger.beat(self.owner, now)
        self._hear(now)
        self._end_overtime(now)
        entries = {entry.schedule.name: entry for entry in self.ledger.entries() if self._mine(entry.schedule.name)}
        self._take_from_the_dead(entries, now)
        if not self._draining:
            self._look(entries.values(), now)
            self._start(entries, now)
            self._prune(now)
        return self._next(entries.values(), now)

    def drain(self) -> None:
        """Begin nothing more."""
        self._draining = True

    def interrupt(self) -> None:
        """Have all that is at work here end, so that whoever comes next goes on with it."""
        self.drain()
        for number, work in self._at_work.items():
            self._stop(number, work, TickState.DUE, "the scheduler was stopped")

    def _mine(self, name: str) -> bool:
        return self._limits.only is None or name in self._limits.only

    # What has happened

    def _hear(self, now: datetime) -> None:
        """What the executor tells stays here until the ledger has it: its disk may be full for a while."""
        self._untold.extend(self._executor.heard())
        while self._untold:
            event = self._untold[0]
            work = self._at_work.get(event.tick)
            if isinstance(event, Opened):
                if work is not None and not self.ledger.opened(work.tick, event.run, event.run_id):
                    self._executor.stop(event.tick)  # it was taken from us
            elif work is not None:
                self._put_down(work, event, now)
                del self._at_work[event.tick]
            self._untold.popleft()

    def _put_down(self, work: _AtWork, ended: Ended, now: datetime) -> None:
        """Say in the ledger how an attempt ended, and what becomes of its tick."""
        tick, schedule = work.tick, work.schedule
        self._name_run(tick, ended)
        how = str(work.stopped or ended.status or "refused").lower()
        self._log("tick ended", how=how, **_facts(tick), error=work.why or ended.error, step=ended.step)
        if ended.status is RunStatus.FINISHED:
            self.ledger.end(tick, TickState.DONE, now, news=self._recovered(tick, schedule))
        elif work.stopped is TickState.DUE:
            self.ledger.again(tick, work.why, now, interrupted=True)
        elif work.stopped in (TickState.REPLACED, TickState.STOPPED):
            self.ledger.end(tick, work.stopped, now, reason=work.why)
        else:
            self._failed(tick, schedule, work.why or ended.error, ended, now)

    def _name_run(self, tick: Tick, ended: Ended) -> None:
        if ended.run:
            self.ledger.opened(tick, ended.run, ended.run_id)

    def _failed(self, tick: Tick, schedule: Schedule, why: str, ended: Ended, now: datetime) -> None:
        """An attempt came to nothing: another one where there is one left; what was refused would be again."""
        if ended.status is not None and tick.attempts < schedule.retries:
            delay = timedelta(seconds=schedule.retry_delay * 2**tick.attempts)
            self.ledger.again(tick, why, now + delay, step=ended.step)
            return
        news = self._news("failed", tick, schedule, why, step=ended.step)
        self.ledger.end(tick, TickState.FAILED, now, reason=why, step=ended.step, news=news)

    def _recovered(self, tick: Tick, schedule: Schedule) -> Sequence[News]:
        before = self.ledger.last_over(tick.schedule, tick.time) if schedule.alerts else None
        if before is None or before.state is not TickState.FAILED:
            return ()
        return self._news("recovered", tick, schedule, f"it runs again after {_short(before.time)} had failed")

    def _end_overtime(self, now: datetime) -> None:
        for number, work in self._at_work.items():
            limit, began = work.schedule.timeout, work.tick.began
            if work.stopped is None and limit is not None and began and now - began >= timedelta(seconds=limit):
                self._stop(number, work, TickState.FAILED, f"it took longer than {limit:g} s")

    def _stop(self, number: int, work: _AtWork, to: TickState, why: str) -> None:
        if work.stopped is None:
            work.stopped, work.why = to, why
            self._executor.stop(number)

    def _take_from_the_dead(self, entries: Mapping[str, Entry], now: datetime) -> None:
        """Ticks whose scheduler is gone: those that had ended are put down, the others are due again."""
        beats = self.ledger.beats()
        self._let_go_of_lost(now)
        theirs = [tick for tick in self.ledger.open_ticks() if tick.state is TickState.RUNNING and tick.owner]
        dead = {
            owner for owner in {tick.owner for tick in theirs} - {self.owner}
            if not self._lives(owner, beats.get(owner))
        }  # fmt: skip
        for tick in theirs:
            if tick.owner in dead and (ended := self._executor.left(tick)) is not None:
                self._inherit(tick, ended, entries.get(tick.schedule), now)
        for owner in beats.keys() - {tick.owner for tick in theirs} - {self.owner}:
            if not self._lives(owner, beats[owner]):
                self.ledger.forget(owner)

    def _let_go_of_lost(self, now: datetime) -> None:
        """Ticks that are ours by the ledger only: the disk was full at the moment in which one was begun."""
        for tick in self.ledger.open_ticks():
            if tick.owner == self.owner and tick.id not in self._at_work:
                self.ledger.again(tick, "it could not be begun", now, interrupted=True)

    def _inherit(self, tick: Tick, ended: Ended, entry: Entry | None, now: datetime) -> None:
        schedule = entry.schedule if entry is not None else None
        self._name_run(tick, ended)
        if ended.status is RunStatus.FINISHED:
            self.ledger.end(tick, TickState.DONE, now, news=self._recovered(tick, schedule) if schedule else ())
        elif ended.status is RunStatus.FAILED and schedule is not None:
            self._failed(tick, schedule, ended.error, ended, now)
        elif tick.interruptions >= MOST_INTERRUPTIONS:
            why = f"it was cut short {tick.interruptions + 1} times, as its scheduler ended"
            news = self._news("failed", tick, schedule, why) if schedule else ()
            self.ledger.end(tick, TickState.FAILED, now, reason=why, news=news)
        else:
            self.ledger.again(tick, "its scheduler ended", now, interrupted=True)
        self._log("tick taken from a dead scheduler", **_facts(tick), how=str(ended.status).lower())

    # What is due

    def _look(self, entries: Iterable[Entry], now: datetime) -> None:
        """Put down what has become due; a clock that went back brings nothing a second time."""
        if TickKind.DUE not in self._limits.kinds:
            return
        for entry in entries:
            first = entry.schedule.trigger.after(entry.looked)
            if first is None or first > now:
                continue
            found = _while_paused(entry, now) if entry.paused else dues(entry.schedule, entry.looked, now)
            missed = [self._missed(entry.schedule, one) for one in found.skipped]
            if self.ledger.look(entry, now, found, [] if entry.paused or not entry.schedule.alerts else missed):
                for one in missed:
                    self._log("ticks skipped", schedule=one.schedule, reason=one.text)

    def _missed(self, schedule: Schedule, skipped: Skipped) -> News:
        text = f"{skipped.count} ticks from {_short(skipped.first)} to {_short(skipped.last)}: {skipped.reason}"
        return News(kind="missed", schedule=schedule.name, time=skipped.last, text=text)

    # What is begun

    def _start(self, entries: Mapping[str, Entry], now: datetime) -> None:
        waiting = self.ledger.open_ticks()
        for tick in waiting:
            entry = entries.get(tick.schedule)
            if entry is None or tick.state is not TickState.DUE or tick.kind not in self._limits.kinds:
                continue
            self._tell_late(tick, entry.schedule, now)
            if not (entry.paused or (tick.not_before is not None and tick.not_before > now)):
                self._consider(tick, entry.schedule, [one for one in waiting if _same(one, tick)], now)

    def _consider(self, tick: Tick, schedule: Schedule, others: Sequence[Tick], now: datetime) -> None:
        """Begin a tick that is due, or say why not, or let it wait."""
        at_once = self._limits.of_each or schedule.at_once
        active = [one for one in others if one.began is not None and one.id != tick.id]
        if len(active) >= at_once and tick.began is None and tick.kind is TickKind.DUE:
            over = [one for one in active if one.began is not None and one.began <= tick.time]
            if len(over) >= at_once and schedule.overlap is not Overlap.QUEUE:
                self._overlapping(tick, schedule, over[0], now)
                return
        begun = self.ledger.claim(tick, self.owner, now, at_once=at_once, limit=self._limits.at_once)
        if begun is not None:
            self._at_work[begun.id] = _AtWork(begun, schedule)
            self._log("tick begun", **_facts(begun), target=schedule.target)
            try:
                self._executor.start(begun, schedule)
            except OSError as error:
                self._untold.append(Ended(begun.id, RunStatus.FAILED, f"no process could be started: {error}"))

    def _overlapping(self, tick: Tick, schedule: Schedule, earlier: Tick, now: datetime) -> None:
        """A tick became due while an earlier one was at work, or was to be tried again."""
        if schedule.overlap is Overlap.SKIP:
            reason = f"the tick of {_short(earlier.time)} was at work"
            self.ledger.drop(tick, TickState.SKIPPED, now, reason)
            self._log("tick skipped", **_facts(tick), reason=reason)
            return
        why = f"the tick of {_short(tick.time)} was due"
        if earlier.state is TickState.DUE:
            self.ledger.drop(earlier, TickState.REPLACED, now, why)
        elif earlier.id in self._at_work:  # where another scheduler has it, that one does the same
            self._stop(earlier.id, self._at_work[earlier.id], TickState.REPLACED, why)

    def _tell_late(self, tick: Tick, schedule: Schedule, now: datetime) -> None:
        late = schedule.late
        if late is not None and tick.began is None and now - tick.time >= timedelta(seconds=late):
            for news in self._news("late", tick, schedule, f"it has not begun {late:g} s after its time"):
                self.ledger.tell_late(tick, news, now)

    def _news(self, kind: str, tick: Tick, schedule: Schedule, text: str, *, step: str = "") -> Sequence[News]:
        if not schedule.alerts:
            return ()
        run_id = self.ledger.tick(tick.id).run_id if tick.began is not None else ""
        return [News(kind=kind, schedule=tick.schedule, time=tick.time, text=text, run_id=run_id, step=step)]

    def _prune(self, now: datetime) -> None:
        """Once a day delete news that is old; where that is much, some of it each turn."""
        if (self._pruned is None or now - self._pruned >= _PRUNE_EVERY) and not self.ledger.prune(
            now - KEPT, PRUNED_AT_ONCE
        ):
            self._pruned = now

    def _next(self, entries: Iterable[Entry], now: datetime) -> datetime | None:
        """When the clock alone will bring something."""
        coming = [entry.schedule.trigger.after(max(entry.looked, now)) for entry in entries]
        waits = [tick.not_before for tick in self.ledger.open_ticks() if tick.not_before is not None]
        ends = [
            work.tick.began + timedelta(seconds=work.schedule.timeout)
            for work in self._at_work.values() if work.tick.began and work.schedule.timeout is not None
        ]  # fmt: skip
        return min((moment for moment in (*coming, *waits, *ends) if moment is not None and moment > now), default=None)


@dataclass
class _Count:
    first: datetime | None = None
    last: datetime | None = None
    count: int = field(default=0)


def _while_paused(entry: Entry, now: datetime) -> Dues:
    """All that became due since, as not run."""
    seen = _Count()
    for time in times(entry.schedule.trigger, entry.looked, now):
        seen.first, seen.last, seen.count = seen.first or time, time, seen.count + 1
    if seen.first is None or seen.last is None:
        return Dues((), ())
    return Dues((), (Skipped(seen.first, seen.last, seen.count, _PAUSED),))


def _nowhere(_event: str, **_facts: object) -> None:
    pass


def _facts(tick: Tick) -> dict[str, object]:
    """What a log says of a tick."""
    return {"schedule": tick.schedule, "logical_time": tick.time.isoformat(), "attempt": tick.attempts + 1}


def _same(one: Tick, tick: Tick) -> bool:
    return one.schedule == tick.schedule and one.kind is tick.kind


def _short(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}Z" if not moment.second else f"{moment:%Y-%m-%d %H:%M:%S}Z"
