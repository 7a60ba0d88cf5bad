"""Going on with a sweep: what of it is done, what had begun, and the points that it had."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from p2p.errors import InputRefused, TargetError
from p2p.model import RunStatus
from p2p.params import ParameterSet
from p2p.secrets import MASK
from p2p.settings import Settings
from p2p.sweep.points import Point, PointResult
from p2p.sweep.story import Gone
from p2p.sweep.targets import TargetFacts
from p2p.tracking import RunRecord, find_run, read_events
from p2p.tracking.reaper import reap
from p2p.tracking.records import read_record


@dataclass(frozen=True)
class Resumed:
    """A sweep that is gone on with.

    Attributes:
        planned: its `sweep_planned` event.
        points: those that it had, or had asked for.
        gone: how far it came.
    """

    planned: Mapping[str, Any]
    points: tuple[Point, ...]
    gone: Gone


def resumed(
    run: str, target: TargetFacts, parameters: ParameterSet, settings: Settings, *, secrets: Mapping[str, str]
) -> Resumed:
    """The sweep `run` (an MLflow run id, a key, or the beginning of either), as far as it came.

    Args:
        run: which one.
        target: what is to be run.
        parameters: the target's.
        settings: the project's.
        secrets: the secret parameters, given again, as nobody has written them down.

    Raises:
        TargetError: there is no such run, or it is no sweep of this target.
        InputRefused: it still runs, has finished, its code has changed, or a secret is not given again.
    """
    reap(settings)
    record = find_run(settings.runs, run)
    _check(record, target)
    events = read_events(record.directory)
    planned = next((event for event in events if event["kind"] == "sweep_planned"), None)
    if planned is None:
        raise InputRefused(f"Sweep {record.key} ended before it had begun.", cure="Start it anew.")
    points = tuple(
        _point(number, shown, parameters, secrets, record.key) for number, shown in _shown(planned, events).items()
    )
    return Resumed(planned, points, Gone(key=record.key, results=_finished(events), begun=_begun(events, settings)))


def _check(record: RunRecord, target: TargetFacts) -> None:
    facts = record.facts
    if facts.get("run_kind") != "sweep":
        raise TargetError(f"Run {record.key} is no sweep.", cure=f"Go on with it by `p2p run --resume {record.key}`.")
    if (facts.get("name"), facts.get("source")) != (target.name, target.source):
        raise TargetError(
            f"Run {record.key} is a sweep of {facts.get('source')}, not of {target.source}.",
            cure="Name the target that it ran.",
        )
    if record.status is RunStatus.RUNNING:
        raise InputRefused(f"Sweep {record.key} is still running.", cure="Wait for its end, or stop it.")
    if record.status is RunStatus.FINISHED:
        raise InputRefused(f"Sweep {record.key} has finished: nothing is left to do.", cure="Sweep without --resume.")
    if facts.get("notebook_digest") != target.digest:
        raise InputRefused(
            f"The notebook has changed since sweep {record.key}: points of old and new code cannot be compared.",
            cure="Start a new sweep; steps that have not changed are not run again.",
        )


def _shown(planned: Mapping[str, Any], events: list[dict[str, Any]]) -> dict[int, Mapping[str, Any]]:
    """The parameters of all points, by number: those of the plan, and those that were asked of an optimizer."""
    asked = {event["point"]: event["parameters"] for event in events if event["kind"] in _OF_POINTS}
    return {**dict(enumerate(planned.get("points", ()), 1)), **asked}


_OF_POINTS = ("point_started", "point_finished")


def _point(
    number: int, shown: Mapping[str, Any], parameters: ParameterSet, secrets: Mapping[str, str], key: str
) -> Point:
    hidden = [name for name, value in shown.items() if MASK in json.dumps(value)]
    refuse_hidden([name for name in hidden if name not in secrets], key)
    given = {name: value for name, value in shown.items() if name not in hidden}
    text = {name: secrets[name] for name in hidden}
    values = parameters.parse(given, text=text)
    return Point(number, given, text, values.literals(), values.secret_texts())


def refuse_hidden(missing: Sequence[str], key: str) -> None:
    """Refuse to go on with a sweep whose secrets nobody has given again."""
    if missing:
        raise InputRefused(
            f"Sweep {key} was given the secret {', '.join(map(repr, missing))}, written nowhere.",
            cure=f"Give it again: -p {missing[0]}=...",
        )


def _finished(events: list[dict[str, Any]]) -> dict[int, PointResult]:
    return {
        event["point"]: PointResult(
            event["point"], event["parameters"], event["key"] or "", event["run_id"] or "", RunStatus.FINISHED,
            event["seconds"], event["measures"], event["outputs"],
        )
        for event in events
        if event["kind"] == "point_finished" and event["status"] == RunStatus.FINISHED
    }  # fmt: skip


def _begun(events: list[dict[str, Any]], settings: Settings) -> dict[int, RunRecord]:
    """The last run of each point that was started; those that did not finish can be gone on with."""
    keys = {event["point"]: event["key"] for event in events if event["kind"] == "point_started"}
    records = {
        number: read_record(settings.runs / key) for number, key in keys.items() if (settings.runs / key).is_dir()
    }
    unfinished = (RunStatus.FAILED, RunStatus.KILLED)
    return {number: record for number, record in records.items() if record.status in unfinished}
