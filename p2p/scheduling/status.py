"""How schedules, pipelines and alerts stand now: facts for a page, for metrics, and for who asks whether all is well.

They are read from the ledger and the index of runs; nothing is changed, and no secret is among them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from p2p.model import RunStatus
from p2p.scheduling.addresses import shown
from p2p.scheduling.ledger import Entry, Ledger
from p2p.scheduling.model import Alert, AlertState, Schedule, Tick, TickKind, TickState
from p2p.scheduling.outbox import Outbox
from p2p.scheduling.owners import lives
from p2p.scheduling.owners import shown as owner_shown
from p2p.scheduling.triggers import times
from p2p.secrets import Masker, environment_secrets
from p2p.settings import Settings
from p2p.upkeep import PastRun, PastRuns

_TICKS: Final = 14  # that are shown of each schedule
_NEXT: Final = 3
_RUNS: Final = 5000  # that are looked through for the health of pipelines
_FAR: Final = timedelta(days=3660)


@dataclass(frozen=True, kw_only=True)
class ScheduleStatus:
    """How a schedule stands.

    Attributes:
        schedule: what it is.
        paused: whether it is.
        next: its next times; none of a paused one.
        last: its last ticks, the latest first.
        failed: the last tick that has failed, where none has been done since.
        succeeded: the last tick that was done.
        counts: how many of its ticks are in which state.
        waiting: the oldest tick that is due and has not begun.
        error: of the failed tick, without secrets.
    """

    schedule: Schedule
    paused: bool
    next: tuple[datetime, ...]
    last: tuple[Tick, ...]
    failed: Tick | None
    succeeded: Tick | None
    counts: Mapping[TickState, int]
    waiting: Tick | None
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Health:
    """How a notebook or a pipeline stands by its runs, whoever asked for them.

    Attributes:
        name: of the pipeline, or the notebook's path.
        good: the last run that finished.
        failing: the first of the runs that have failed since; None where the last one is good.
    """

    name: str
    good: PastRun | None
    failing: PastRun | None


@dataclass(frozen=True, kw_only=True)
class AlertStatus:
    """An alert that could not be sent.

    Attributes:
        alert: the alert; its address may hold a secret.
        address: that address as it may be shown.
    """

    alert: Alert
    address: str


@dataclass(frozen=True, kw_only=True)
class Status:
    """How all of a project stands.

    Attributes:
        at: when.
        project: its name.
        schedules: by name.
        schedulers: those that are alive, and when each was last seen.
        alerts: those that could not be sent, the ones that are given up too.
        untold: how many alerts are to be sent.
        told: how many have been.
        health: of notebooks and pipelines, those that fail first.
    """

    at: datetime
    project: str
    schedules: tuple[ScheduleStatus, ...] = ()
    schedulers: Mapping[str, datetime] = field(default_factory=dict)
    alerts: tuple[AlertStatus, ...] = ()
    untold: int = 0
    told: int = 0
    health: tuple[Health, ...] = ()


def status_of(settings: Settings, now: datetime, *, runs: bool = True) -> Status:
    """How the project stands. A ledger that is not there is not made.

    Args:
        settings: the project's.
        now: the time.
        runs: whether to look at past runs too.
    """
    health = _health(settings) if runs else ()
    if not settings.schedules.is_file():
        return Status(at=now, project=settings.root.name, health=health)
    ledger, outbox = Ledger(settings.schedules), Outbox(settings.schedules)
    try:
        masker, counts = Masker(environment_secrets(os.environ)), outbox.count()
        waiting = [tick for tick in ledger.open_ticks() if tick.state is TickState.DUE and tick.began is None]
        return Status(
            at=now, project=settings.root.name, untold=counts[AlertState.DUE], told=counts[AlertState.TOLD],
            schedules=tuple(_schedule(ledger, entry, waiting, masker, now) for entry in ledger.entries()),
            schedulers={owner_shown(owner): beat for owner, beat in ledger.beats().items() if lives(owner, beat)},
            alerts=tuple(_unsent(outbox)), health=health,
        )  # fmt: skip
    finally:
        ledger.close()
        outbox.close()


def _schedule(ledger: Ledger, entry: Entry, waiting: list[Tick], masker: Masker, now: datetime) -> ScheduleStatus:
    schedule = entry.schedule
    coming = () if entry.paused else islice(times(schedule.trigger, now, now + _FAR), _NEXT)
    succeeded, failed = (ledger.last_in(schedule.name, state) for state in (TickState.DONE, TickState.FAILED))
    if failed is not None and succeeded is not None and failed.time < succeeded.time:
        failed = None
    return ScheduleStatus(
        schedule=schedule, paused=entry.paused, next=tuple(coming), last=tuple(ledger.history(schedule.name, _TICKS)),
        failed=failed, succeeded=succeeded, counts=ledger.count(schedule.name),
        waiting=next((one for one in waiting if one.schedule == schedule.name and one.kind is TickKind.DUE), None),
        error=masker.text(failed.reason) if failed is not None else "",
    )  # fmt: skip


def _unsent(outbox: Outbox) -> Iterator[AlertStatus]:
    for alert in [*outbox.given_up(), *outbox.unsent()]:
        if alert.problem:
            yield AlertStatus(alert=alert, address=shown(alert.address))


def _health(settings: Settings) -> tuple[Health, ...]:
    """Each notebook and pipeline that has run; what was run to prove an export does not count."""
    found: dict[str, list[PastRun]] = {}
    over: set[str] = set()
    for run in islice(PastRuns(settings).having(), _RUNS):
        name = _name(run)
        if not name or name in over or run.status is RunStatus.RUNNING:
            continue
        found.setdefault(name, []).append(run)
        if run.status is RunStatus.FINISHED:
            over.add(name)
    told = [_one(name, runs) for name, runs in found.items()]
    return tuple(sorted(told, key=lambda one: (one.failing is None, one.name)))


def _name(run: PastRun) -> str:
    if run.purpose:
        return ""
    return {"notebook": run.source, "module": run.name}.get(run.run_kind, "")


def _one(name: str, runs: list[PastRun]) -> Health:
    """Runs from the latest one back to the last good one."""
    good = runs[-1] if runs[-1].status is RunStatus.FINISHED else None
    failed = [run for run in runs if run.status is RunStatus.FAILED]
    return Health(name=name, good=good, failing=failed[-1] if failed else None)
