"""Dagster: an asset for each step, or one for the run, a job of them, and its schedule."""

from __future__ import annotations

from typing import Final

from p2p.scheduling.exports.model import Exported, Order, Per
from p2p.scheduling.exports.policies import Words, unsaid
from p2p.scheduling.exports.python import identifiers, module
from p2p.scheduling.exports.times import plain_calendar
from p2p.scheduling.model import Missed, Overlap

_IMPORTS: Final = """\
import json
import subprocess
from datetime import datetime

import dagster as dg
"""
_BODY: Final = '''\
TIME = "p2p/logical_time"
AT_WORK = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]
RETRY = dg.RetryPolicy(max_retries=RETRIES, delay=RETRY_DELAY, backoff=dg.Backoff.EXPONENTIAL) if RETRIES else None


def moment_of(context):
    """The time that the run stands for; None for one that was started by hand."""
    told = context.run.tags.get(TIME)
    return datetime.fromisoformat(told) if told else None


def asset_of(number, name):
    """The asset of a task. What Dagster keeps of it is the key of p2p's run, which the next one goes on with."""
    before = {"before": dg.AssetIn(key=dg.AssetKey([NAME, TASKS[number - 1][0]]))} if number else {}

    @dg.asset(name=name, key_prefix=[NAME], ins=before, group_name=NAME, retry_policy=RETRY)
    def task(context: dg.AssetExecutionContext, **inputs):
        key = p2p_run(*options_of(number, inputs.get("before"), moment_of(context)))
        context.add_output_metadata({"p2p run": key})
        return key

    return task


assets = [asset_of(number, name) for number, (name, _) in enumerate(TASKS)]
job = dg.define_asset_job(name=f"{NAME}_job", selection=assets)


@dg.schedule(name=f"{NAME}_schedule", job=job, cron_schedule=CRON, execution_timezone=ZONE)
def scheduled(context: dg.ScheduleEvaluationContext):
    """A run at its time, unless one is at work."""
    at_work = dg.RunsFilter(job_name=job.name, statuses=AT_WORK)
    if context.instance.get_runs_count(at_work):
        return dg.SkipReason("an earlier run is at work")
    moment = context.scheduled_execution_time
    return dg.RunRequest(run_key=moment.isoformat(), tags={TIME: moment.isoformat()})


defs = dg.Definitions(assets=assets, jobs=[job], schedules=[scheduled])
'''


class Dagster:
    """Dagster: see `Target`."""

    name = "dagster"
    elsewhere = False
    per = (Per.STEP, Per.RUN)

    def write(self, order: Order) -> Exported:
        """A module with definitions."""
        schedule = order.schedule
        notes = unsaid(schedule, _words())
        calendar = plain_calendar(schedule, "Dagster")
        (name,) = identifiers([schedule.name])
        values = {
            "NAME": name, "CRON": calendar.text, "ZONE": calendar.zone, "RETRIES": schedule.retries,
            "RETRY_DELAY": schedule.retry_delay,
        }  # fmt: skip
        title = "A schedule of p2p as assets, a job and a schedule of Dagster."
        return Exported({f"{schedule.name}.py": module(order, title, notes, _IMPORTS, values, _BODY)}, notes)


def _words() -> Words:
    own = "how many missed runs are made up for is set in dagster.yaml (max_catchup_runs)"
    return Words(
        tool="Dagster", overlap={Overlap.SKIP: ""}, missed={Missed.SKIP: own, Missed.LATEST: own},
        others=frozenset({"retries", "retry_delay", "timeout"}),
    )  # fmt: skip
