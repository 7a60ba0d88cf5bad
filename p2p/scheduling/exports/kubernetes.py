"""Kubernetes: a CronJob."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from p2p.errors import InputRefused
from p2p.scheduling.exports.command import command_of
from p2p.scheduling.exports.model import Exported, Order, Per
from p2p.scheduling.exports.policies import Words, unsaid
from p2p.scheduling.exports.times import plain_calendar
from p2p.scheduling.exports.yaml import dumped
from p2p.scheduling.model import Missed, Overlap, Schedule

_LONGEST: Final = 52  # characters of a CronJob's name; its jobs get eleven more
_SHORTEST: Final = 10  # seconds: with a shorter deadline, its controller starts nothing


class Kubernetes:
    """Kubernetes: see `Target`."""

    name = "kubernetes"
    elsewhere = True
    per = (Per.RUN,)

    def write(self, order: Order) -> Exported:
        """A CronJob."""
        schedule = order.schedule
        notes = unsaid(schedule, _words())
        calendar = plain_calendar(schedule, "Kubernetes")
        window = schedule.grace if schedule.missed is Missed.SKIP else schedule.window
        job = {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": _name(schedule), "labels": {"app.kubernetes.io/managed-by": "p2p"}},
            "spec": {
                "schedule": calendar.text,
                "timeZone": calendar.zone,
                "concurrencyPolicy": "Replace" if schedule.overlap is Overlap.REPLACE else "Forbid",
                "startingDeadlineSeconds": max(_SHORTEST, math.ceil(window)),
                "jobTemplate": {
                    "spec": {"backoffLimit": schedule.retries, "template": {"spec": _pod(order)}},
                },
            },
        }
        return Exported({f"{schedule.name}.yaml": dumped(job, "a CronJob", notes)}, notes)


def _pod(order: Order) -> dict[str, Any]:
    if not order.image:
        raise InputRefused("Kubernetes runs a container.", cure="Name its image, which has the project: --image IMAGE.")
    container: dict[str, Any] = {
        "name": "p2p", "image": order.image, "command": [word.replace("$", "$$") for word in command_of(order)],
    }  # fmt: skip
    if order.folder:
        container["workingDir"] = order.folder
    pod: dict[str, Any] = {"restartPolicy": "Never", "containers": [container]}
    if order.schedule.timeout is not None:
        pod["activeDeadlineSeconds"] = math.ceil(order.schedule.timeout)
    return pod


def _name(schedule: Schedule) -> str:
    name = re.sub(r"[^a-z0-9-]", "-", schedule.name.lower()).strip("-")
    if len(name) > _LONGEST:
        raise InputRefused(
            f"'{name}' has {len(name)} characters, and a CronJob's name {_LONGEST} at most.",
            cure="Add the schedule by a shorter name: --name.",
        )
    return name


def _words() -> Words:
    last = "the last run that was due while another was at work may run afterwards"
    return Words(
        tool="Kubernetes", overlap={Overlap.SKIP: last, Overlap.REPLACE: ""},
        missed={Missed.SKIP: "", Missed.LATEST: ""}, others=frozenset({"retries", "timeout", "window", "grace"}),
    )  # fmt: skip
