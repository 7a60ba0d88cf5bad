"""The runs of ticks: a run says by its tags whose attempt it is, so that who comes after a dead scheduler finds it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from p2p.model import RunStatus
from p2p.scheduling.model import Tick
from p2p.scheduling.scheduler import Ended
from p2p.settings import Settings
from p2p.tracking import RunRecord
from p2p.tracking.reaper import reap
from p2p.tracking.records import opening, read_record

SCHEDULE: Final = "p2p.schedule"
TIME: Final = "p2p.logical_time"
_SLACK: Final = timedelta(seconds=2)  # between the clocks of a ledger and of a run


def tags_of(tick: Tick) -> dict[str, str]:
    """The tags of a tick's runs."""
    return {SCHEDULE: tick.schedule, TIME: tick.time.isoformat()}


def last_run(settings: Settings, tick: Tick) -> RunRecord | None:
    """The run of the last attempt of a tick; None where none was opened since it was begun."""
    wanted = tags_of(tick)
    oldest = f"{tick.began - _SLACK:%Y%m%dT%H%M%S}" if tick.began is not None else ""
    runs = sorted(settings.runs.iterdir(), reverse=True) if settings.runs.is_dir() else []
    for directory in runs:
        if directory.name < oldest:
            return None
        facts = opening(directory) or {}
        tags = facts.get("tags") or {}
        if all(tags.get(name) == value for name, value in wanted.items()):
            return read_record(directory)
    return None


def left(settings: Settings, tick: Tick) -> Ended | None:
    """How the attempt of a dead scheduler ended: see `Executor`."""
    reap(settings)
    record = last_run(settings, tick)
    if record is None:
        return Ended(tick.id, RunStatus.KILLED, "its scheduler ended before it had begun")
    if record.status is RunStatus.RUNNING:
        return None
    return ended(tick.id, record)


def ended(tick: int, record: RunRecord) -> Ended:
    """What a run says of how an attempt ended."""
    end = record.end
    return Ended(
        tick, record.status, str(end.get("error") or ""), str(end.get("failed_step") or ""), record.key, record.run_id
    )
