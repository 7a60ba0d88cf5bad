"""What became of a point: its run's end, and the numbers by which points are compared."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from p2p.errors import P2PError
from p2p.model import RunStatus
from p2p.outcome import RunOutcome, json_value
from p2p.sweep.points import Point, PointResult
from p2p.sweep.targets import Target
from p2p.tracking import read_events
from p2p.tracking.records import read_record
from p2p.tracking.sending import read_sent

NOTEBOOK_CHANGED: Final = "the notebook was changed while the sweep ran, and this run is of the new one"
_MOST: Final = 100  # measures of a run
_LONGEST: Final = 1000  # characters of an output as it is kept for the table; a longer one is told by its digest


def measures_of(outcome: RunOutcome, events: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """The numbers of a run by name: outputs, numbers in outputs that are dicts (`scores.auc`), and metrics.

    Of a metric that the run's own code logged, the last value; an output wins over a metric of its name.
    """
    metrics = {m["key"]: m["value"] for e in events if e["kind"] == "logged" for m in e.get("metrics", ())}
    found = {**metrics, **dict(_numbers(outcome.outputs))}
    kept = {name: value for name, value in found.items() if isinstance(value, int | float) and math.isfinite(value)}
    return dict(list(kept.items())[:_MOST])


def _numbers(outputs: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for name, value in outputs.items():
        inside = value if isinstance(value, dict) else {}
        for key, number in ((name, value), *((f"{name}.{part}", part_value) for part, part_value in inside.items())):
            if isinstance(number, int | float) and not isinstance(number, bool):
                yield key, number


def outputs_of(outcome: RunOutcome) -> dict[str, Any]:
    """The run's outputs as the table keeps them: short plain data, and anything else by type, shape and digest."""
    refs = {name: ref for step in outcome.steps for name, ref in step.outputs.items()}
    return {
        name: json_value(
            value if len(json.dumps(json_value(value), default=str)) <= _LONGEST else refs.get(name, "...")
        )
        for name, value in outcome.outputs.items()
    }


def result_of(point: Point, outcome: RunOutcome, directory: Path, seconds: float, target: Target) -> PointResult:
    """What a point's run gave, read from its journal."""
    events = read_events(directory)
    result = PointResult(
        point.number, point.shown, outcome.key, outcome.run_id, outcome.status, seconds,
        measures_of(outcome, events), outputs_of(outcome), outcome.failed_step, outcome.error,
    )  # fmt: skip
    if events[0].get("notebook_digest") != target.facts.digest:
        return replace(result, status=RunStatus.FAILED, error=NOTEBOOK_CHANGED)
    return result


def lost(point: Point, directory: Path, error: BaseException) -> PointResult:
    """A point that gave no outcome: it was interrupted, refused, or its run could not be written."""
    begun = directory.is_dir()
    record = read_record(directory) if begun else None
    text = str(error) if isinstance(error, P2PError) else f"{type(error).__name__}: {error}".strip(": ")
    interrupted = isinstance(error, KeyboardInterrupt)
    status = RunStatus.KILLED if interrupted else RunStatus.FAILED
    if record is not None and record.status is not RunStatus.RUNNING:
        status = record.status if record.status is not RunStatus.FINISHED else status
    seconds = (record.end["at"] - record.facts["at"]) / 1e9 if record is not None and record.end else 0.0
    return PointResult(
        point.number, point.shown, directory.name if begun else "", record.run_id if record else "", status, seconds,
        error="" if interrupted else text,
    )  # fmt: skip


def with_run_id(point: PointResult, runs: Path) -> PointResult:
    """MLflow may have made its run by now."""
    return point if point.run_id or not point.key else replace(point, run_id=read_sent(runs / point.key).run_id)
