"""Airflow: a DAG whose tasks run p2p. No field that Airflow renders as a template has a value in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from p2p.scheduling.exports.model import Exported, Order, Per
from p2p.scheduling.exports.policies import Words, unsaid
from p2p.scheduling.exports.python import module
from p2p.scheduling.exports.times import plain_calendar
from p2p.scheduling.model import Missed, Overlap, Schedule

_IMPORTS: Final = """\
import json
import subprocess
from datetime import datetime, timedelta

from airflow.sdk import DAG, CronTriggerTimetable, task
"""
_BODY: Final = '''\
def run_task(number, before=None, logical_date=None):
    """One task: Airflow gives the logical date, and `before` is the run of the task before it."""
    return p2p_run(*options_of(number, before, logical_date))


with DAG(
    dag_id=NAME,
    schedule=CronTriggerTimetable(CRON, timezone=ZONE),
    start_date=datetime.fromisoformat(SINCE),
    catchup=CATCHUP,
    max_active_runs=AT_ONCE,
    default_args={
        "retries": RETRIES,
        "retry_delay": timedelta(seconds=RETRY_DELAY),
        "retry_exponential_backoff": True,
    },
    tags=["p2p"],
) as dag:
    before = None
    for number, (name, _) in enumerate(TASKS):
        before = task(run_task, task_id=name)(number, before)
'''

# Airflow makes no tasks for a time before the start date, and marks the run as a success.
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST: Final = "when the DAG is first switched on, the last time that is over is run"
_EARLIER: Final = "a run that is started by hand for a time before {:%Y-%m-%d %H:%M} UTC does nothing, and is a success"


class Airflow:
    """Airflow 3: see `Target`."""

    name = "airflow"
    elsewhere = False
    per = (Per.RUN, Per.STEP)

    def write(self, order: Order) -> Exported:
        """A DAG; its logical date is the tick's time."""
        schedule = order.schedule
        every = schedule.missed is Missed.ALL
        since = order.since if every else _LONG_AGO
        notes = (*unsaid(schedule, _words(schedule)), _EARLIER.format(since) if every else _FIRST)
        calendar = plain_calendar(schedule, "Airflow")
        values = {
            "NAME": schedule.name, "CRON": calendar.text, "ZONE": calendar.zone, "SINCE": since.isoformat(),
            "CATCHUP": every,
            "AT_ONCE": schedule.at_once if schedule.overlap is Overlap.QUEUE else 1, "RETRIES": schedule.retries,
            "RETRY_DELAY": schedule.retry_delay,
        }  # fmt: skip
        title = "A schedule of p2p as a DAG of Airflow 3."
        return Exported({f"{schedule.name}.py": module(order, title, notes, _IMPORTS, values, _BODY)}, notes)


def _words(schedule: Schedule) -> Words:
    last = "the last of the runs that were due while another was at work runs afterwards"
    return Words(
        tool="Airflow",
        overlap={Overlap.SKIP: last, Overlap.QUEUE: "" if schedule.missed is Missed.ALL else last},
        missed={
            Missed.SKIP: "the last missed run is made up for", Missed.LATEST: "",
            Missed.ALL: f"all missed runs are made up for, not only the last {schedule.most}",
        },
        others=frozenset({"retries", "retry_delay", "timeout", "at_once"}),
    )  # fmt: skip
