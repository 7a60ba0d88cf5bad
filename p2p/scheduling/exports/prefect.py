"""Prefect: a flow that serves itself at its times."""

from __future__ import annotations

from typing import Any, Final

from p2p.scheduling.exports.model import Exported, Order, Per
from p2p.scheduling.exports.policies import Words, unsaid
from p2p.scheduling.exports.python import module
from p2p.scheduling.exports.times import plain_calendar
from p2p.scheduling.model import Missed, Overlap, Schedule
from p2p.scheduling.triggers import Every

_IMPORTS: Final = """\
import json
import subprocess
from datetime import datetime, timedelta, timezone

from prefect import flow
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.runtime import flow_run
from prefect.schedules import Cron, Interval
"""
_BODY: Final = '''\
@flow(name=NAME, retries=RETRIES, retry_delay_seconds=RETRY_DELAY)
def scheduled():
    """One run, at the time that Prefect had it scheduled for."""
    return p2p_run(*options_of(0, None, flow_run.scheduled_start_time))


def schedule():
    """Its times."""
    if INTERVAL:
        epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
        return Interval(timedelta(seconds=INTERVAL), anchor_date=epoch, timezone="UTC")
    return Cron(CRON, timezone=ZONE, day_or=True)


if __name__ == "__main__":
    limit = ConcurrencyLimitConfig(limit=AT_ONCE, collision_strategy=COLLISION)
    scheduled.serve(name=NAME, schedule=schedule(), global_limit=limit, tags=["p2p"])
'''


class Prefect:
    """Prefect 3: see `Target`."""

    name = "prefect"
    elsewhere = False
    per = (Per.RUN,)

    def write(self, order: Order) -> Exported:
        """A module with a flow, which `python FILE` serves."""
        schedule = order.schedule
        notes = unsaid(schedule, _words())
        queue = schedule.overlap is Overlap.QUEUE
        values = {
            "NAME": schedule.name, **_times(schedule), "RETRIES": schedule.retries,
            "RETRY_DELAY": schedule.retry_delay, "AT_ONCE": schedule.at_once if queue else 1,
            "COLLISION": "ENQUEUE" if queue else "CANCEL_NEW",
        }  # fmt: skip
        title = "A schedule of p2p as a flow of Prefect 3: python THIS_FILE serves it."
        return Exported({f"{schedule.name}.py": module(order, title, notes, _IMPORTS, values, _BODY)}, notes)


def _times(schedule: Schedule) -> dict[str, Any]:
    if isinstance(schedule.trigger, Every):
        return {"INTERVAL": schedule.trigger.seconds, "CRON": "", "ZONE": "UTC"}
    calendar = plain_calendar(schedule, "Prefect")
    return {"INTERVAL": 0, "CRON": calendar.text, "ZONE": calendar.zone}


def _words() -> Words:
    late = "runs that were planned while nothing served the flow run late, all of them as far as overlap lets them"
    return Words(
        tool="Prefect", overlap={Overlap.SKIP: "", Overlap.QUEUE: ""},
        missed={Missed.SKIP: late, Missed.LATEST: late, Missed.ALL: late},
        others=frozenset({"retries", "timeout", "at_once"}),
    )  # fmt: skip
