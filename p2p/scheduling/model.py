"""The nouns of scheduling, without I/O: a schedule, its policies, and its ticks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from p2p.scheduling.triggers import Trigger, read_trigger


class Missed(StrEnum):
    """What becomes of ticks whose time went by while no scheduler was up; those of a paused schedule never run."""

    SKIP = "skip"  # none of them runs
    LATEST = "latest"  # the last one runs, unless a tick that is on time stands for it
    ALL = "all"  # the last `most` of them run, the oldest first


class Overlap(StrEnum):
    """What becomes of a tick that is due while an earlier one of the same schedule is at work."""

    SKIP = "skip"
    QUEUE = "queue"  # it waits, in the order of their times
    REPLACE = "replace"  # the earlier one is stopped


class TickState(StrEnum):
    """Where a tick is."""

    DUE = "due"  # to be run, or to be run again after `not_before`
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"  # by a person; one that took longer than its limit has failed
    REPLACED = "replaced"  # a later tick was due
    SKIPPED = "skipped"

    @property
    def over(self) -> bool:
        """Whether nothing more becomes of it."""
        return self not in (TickState.DUE, TickState.RUNNING)


class TickKind(StrEnum):
    """Who asked for a tick."""

    DUE = "due"
    MANUAL = "manual"
    BACKFILL = "backfill"


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """What is run, when, and what is done where that goes wrong.

    Attributes:
        name: of the schedule.
        target: a notebook's path relative to the project, `name`, or `name@3`.
        when: the trigger as it is written.
        zone: the time zone that it is meant in.
        params: parameters as text, each `{FIELD}` alone standing for a fact of the tick (see `fields`).
        missed: what becomes of missed ticks.
        most: how many of them run where all are to.
        window: seconds; a tick that is older never runs.
        grace: seconds that a tick may be late without being missed.
        overlap: what becomes of a tick while an earlier one is at work.
        retries: further attempts of a tick whose run failed.
        retry_delay: seconds before the first of them; doubled each time.
        timeout: seconds that an attempt may take; None for no limit.
        at_once: how many ticks of it may be at work, where they are queued.
        late: seconds after which a tick that has not begun is told as late; None for never.
        alerts: addresses to tell of failure, recovery, lateness and missed ticks.
    """

    name: str
    target: str
    when: str
    zone: str = "UTC"
    params: Mapping[str, str] = field(default_factory=dict)
    missed: Missed = Missed.LATEST
    most: int = 10
    window: float = 365 * 86_400.0
    grace: float = 60.0
    overlap: Overlap = Overlap.SKIP
    retries: int = 0
    retry_delay: float = 60.0
    timeout: float | None = None
    at_once: int = 1
    late: float | None = None
    alerts: tuple[str, ...] = ()

    @cached_property
    def trigger(self) -> Trigger:
        return read_trigger(self.when, self.zone)


@dataclass(frozen=True, kw_only=True)
class Tick:
    """One time of one schedule, which is run once, whatever number of schedulers are up.

    Attributes:
        id: its number in the ledger.
        schedule: whose.
        time: the logical time: when it was due, not when it ran.
        kind: who asked for it.
        state: where it is.
        reason: why it was skipped, or how it failed.
        attempts: how many have ended by themselves or at their time limit.
        interruptions: how many were cut short because the scheduler ended.
        owner: the scheduler that has it.
        run: key of the run of its last attempt, which a next one goes on from; empty before it opened.
        run_id: MLflow's id of that run.
        step: the step that failed.
        not_before: when it may be begun.
        began: when its last attempt did.
        ended: when it was over.
    """

    id: int
    schedule: str
    time: datetime
    kind: TickKind = TickKind.DUE
    state: TickState = TickState.DUE
    reason: str = ""
    attempts: int = 0
    interruptions: int = 0
    owner: str = ""
    run: str = ""
    run_id: str = ""
    step: str = ""
    not_before: datetime | None = None
    began: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class News:
    """Something to tell people of.

    Attributes:
        kind: `failed`, `recovered`, `late` or `missed`.
        schedule: of which.
        time: logical time of the tick, or of the last one.
        text: what happened.
        run_id: MLflow's id of the run; empty where there is none.
        step: the step that failed.
        id: its number among what is to be told.
        zone: the time zone of its schedule.
        made: when it was put down.
        run: key of the run; empty where there is none.
    """

    kind: str
    schedule: str
    time: datetime
    text: str
    run_id: str = ""
    step: str = ""
    id: int = 0
    zone: str = "UTC"
    made: datetime | None = None
    run: str = ""


class AlertState(StrEnum):
    """Where an alert is."""

    DUE = "due"  # to be sent, or to be sent again after `not_before`
    TOLD = "told"
    GIVEN_UP = "given up"


@dataclass(frozen=True, kw_only=True)
class Alert:
    """News for one address.

    Attributes:
        id: its number in the ledger.
        news: what is to be told.
        address: an Apprise URL, which may hold a secret, or `env:NAME`.
        state: where it is.
        owner: who sends it now; empty for nobody.
        tries: how often it was tried in vain.
        problem: why it could not be sent.
        not_before: when it may be tried.
    """

    id: int
    news: News
    address: str
    state: AlertState
    owner: str
    tries: int
    problem: str
    not_before: datetime


@dataclass(frozen=True)
class Skipped:
    """Ticks that are not run, in one stretch.

    Attributes:
        first: logical time of the first.
        last: of the last.
        count: how many.
        reason: why.
    """

    first: datetime
    last: datetime
    count: int
    reason: str
