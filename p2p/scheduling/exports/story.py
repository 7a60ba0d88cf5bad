"""Exporting a schedule: what is asked becomes an order that a target can write."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from p2p.errors import InputRefused, nearest
from p2p.export.targets import is_notebook, load_pipeline
from p2p.scheduling.exports.model import Exported, Order, Per, Target
from p2p.scheduling.exports.registry import TARGETS
from p2p.scheduling.model import Schedule
from p2p.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked for.

    Attributes:
        to: name of the target.
        per: what a task is; empty for the target's own choice.
        folder: the project's folder over there; empty for this one, or for what the target knows.
        python: the Python over there; empty for this one, or for `python` on another machine.
        image: the container image.
        cron_zone: whether the cron over there reads `CRON_TZ`.
    """

    to: str
    per: str = ""
    folder: str = ""
    python: str = ""
    image: str = ""
    cron_zone: bool = False


def export(schedule: Schedule, asked: Asked, settings: Settings, now: datetime) -> Exported:
    """Write a schedule for another scheduler.

    Raises:
        InputRefused: there is no such target, or it has no words for this schedule.
        TargetError: there is no such pipeline.
    """
    target = _target(asked.to)
    per = _per(asked.per, target, schedule)
    steps: tuple[str, ...] = ()
    if per is Per.STEP:
        schedule, steps = _with_steps(schedule, settings)
    here = "" if target.elsewhere else str(settings.root)
    order = Order(
        schedule=schedule, folder=asked.folder or here, steps=steps, image=asked.image, cron_zone=asked.cron_zone,
        python=asked.python or ("python" if target.elsewhere else sys.executable), locks=_locks(schedule, settings),
        since=now.replace(microsecond=0),
    )  # fmt: skip
    return target.write(order)


def _target(name: str) -> Target:
    if name not in TARGETS:
        close = nearest(name, TARGETS)
        cure = f"Closest: {close}." if close else f"There are: {', '.join(TARGETS)}."
        raise InputRefused(f"--to {name!r:.40} is not known.", cure=cure)
    return TARGETS[name]


def _per(told: str, target: Target, schedule: Schedule) -> Per:
    notebook = is_notebook(schedule.target)
    if not told:
        return Per.RUN if notebook else target.per[0]
    if told not in [*Per]:
        raise InputRefused(f"--per {told!r:.40} is not known.", cure="There are: run, step.")
    if Per(told) not in target.per:
        raise InputRefused(f"{target.name} has one task for a run.", cure="Leave it out, or choose airflow or dagster.")
    if notebook and told == Per.STEP:
        raise InputRefused(
            f"'{schedule.target:.80}' is a notebook, whose cells run in one kernel.",
            cure="Export it with p2p export, and schedule the pipeline.",
        )
    return Per(told)


def _with_steps(schedule: Schedule, settings: Settings) -> tuple[Schedule, tuple[str, ...]]:
    """The schedule of the very version that has these steps, and their names."""
    pipeline = load_pipeline(schedule.target, settings)
    exact = replace(schedule, target=f"{pipeline.name}@{pipeline.version}")
    return exact, tuple(task.step for task in pipeline.tasks)


def _locks(schedule: Schedule, settings: Settings) -> tuple[str, ...]:
    places = [Path("requirements.lock")]
    if not is_notebook(schedule.target):
        pipeline = load_pipeline(schedule.target, settings)
        places.insert(0, Path("pipelines", pipeline.name, f"v{pipeline.version}", "requirements.lock"))
    return tuple(place.as_posix() for place in places if (settings.root / place).is_file())[:1]
