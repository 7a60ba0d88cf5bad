"""Past runs, as their journals tell them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from p2p.errors import TargetError
from p2p.model import RunStatus, StepRecord, StepState, ValueRef
from p2p.tracking.journal import first_event, read_events

_KEY = re.compile(r"\d{8}T\d{6}\.\d{6}-[0-9a-f]{8}")  # as `new_key` makes them: no other one begins so


@dataclass(frozen=True, slots=True)
class CellBorder:
    """What a cell of a headless run was seen to have done, beyond the names that it gave.

    Attributes:
        source: digest of its code.
        changed: the names whose values it changed in place.
        moved: the global random generators that it drew from or seeded.
        same: groups of names whose values were one object, held one, or showed one memory, when it had ended.
    """

    source: str
    changed: tuple[str, ...]
    moved: tuple[str, ...]
    same: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class RunRecord:
    """One run, read from its journal.

    Attributes:
        key: the name of its directory.
        facts: what was known when it opened (kind, name, source, notebook digest, parameters, ...).
        status: RUNNING until its driver ended it.
        run_id: MLflow's run id; empty while MLflow does not know the run.
        steps: the last record of each step, in the order in which they first started.
        end: the fields of the event that ended it (failed step, cell, error).
        borders: what cells were seen to do, in order; those that did nothing unseen are not among them.
        cut_short: the steps that were at work when the run ended, as when its process was killed.
    """

    key: str
    directory: Path
    facts: Mapping[str, Any]
    status: RunStatus
    run_id: str = ""
    steps: tuple[StepRecord, ...] = ()
    end: Mapping[str, Any] = field(default_factory=dict)
    borders: tuple[CellBorder, ...] = ()
    cut_short: tuple[StepRecord, ...] = ()

    def step(self, name: str) -> StepRecord | None:
        return next((s for s in self.steps if s.name == name), None)


def read_record(directory: Path) -> RunRecord:
    """The record of the run in `directory`."""
    facts: dict[str, Any] = {}
    end: dict[str, Any] = {}
    run_id = ""
    steps: dict[str, StepRecord | None] = {}
    inputs: dict[str, dict[str, ValueRef]] = {}
    borders: list[CellBorder] = []
    at_work: dict[str, Mapping[str, Any]] = {}
    for event in read_events(directory):
        kind = event["kind"]
        if kind == "run_opened":
            facts = event
        elif kind == "mlflow_run":
            run_id = event["run_id"]
        elif kind == "step_started":
            steps.setdefault(event["step"], None)
            inputs[event["id"]] = _refs(event["inputs"])
            at_work[event["id"]] = event
        elif kind == "step_finished":
            at_work.pop(event["id"], None)
            steps[event["step"]] = _step(event, inputs.get(event["id"], {}))
        elif kind == "cell_border":
            borders.append(_border(event))
        elif kind == "run_finished":
            end = event
    status = RunStatus(end["status"]) if end else RunStatus.RUNNING
    done = tuple(s for s in steps.values() if s is not None)
    cut_short = tuple(_cut_short(event, inputs[at]) for at, event in at_work.items()) if end else ()
    return RunRecord(directory.name, directory, facts, status, run_id, done, end, tuple(borders), cut_short)


def _cut_short(event: Mapping[str, Any], inputs: Mapping[str, ValueRef]) -> StepRecord:
    error = "the run ended while it was at work"
    return StepRecord(event["step"], StepState.FAILED, 0.0, 0, inputs, parent=event.get("parent", ""), error=error)


def _border(event: Mapping[str, Any]) -> CellBorder:
    same = tuple(map(tuple, event.get("same", ())))
    return CellBorder(event["source"], tuple(event["changed"]), tuple(event["moved"]), same)


def _step(event: Mapping[str, Any], inputs: Mapping[str, ValueRef]) -> StepRecord:
    return StepRecord(
        name=event["step"],
        state=StepState(event["state"]),
        seconds=event["seconds"],
        attempts=event["attempts"],
        inputs=inputs,
        outputs=_refs(event["outputs"]),
        parent=event.get("parent", ""),
        fallback=bool(event.get("fallback", False)),
        error=f"{event['error_type']}: {event['error']}" if "error_type" in event else "",
        changed=_refs((event.get("kept") or {}).get("changed") or {}),
    )


def _refs(data: Mapping[str, Mapping[str, Any]]) -> dict[str, ValueRef]:
    return {name: ValueRef.from_dict(ref) for name, ref in data.items()}


def failed_step(directory: Path) -> str:
    """The outermost step of a run that failed last, or that was at work when its process died; empty for none."""
    at_work: dict[str, str] = {}
    failed = ""
    for event in read_events(directory):
        if event["kind"] == "step_started" and not event["parent"]:
            at_work[event["id"]] = event["step"]
        elif event["kind"] == "step_finished" and not event["parent"]:
            at_work.pop(event["id"], None)
            failed = event["step"] if event["state"] == "failed" else ""
    return next(iter(at_work.values()), failed)


def why_killed(directory: Path) -> str:
    """Why a process of a run was killed by its sidecar; empty where it was not."""
    killed = [event["error"] for event in read_events(directory) if event["kind"] == "step_killed"]
    return str(killed[-1]) if killed else ""


def past_runs(runs: Path, **facts: Any) -> Iterator[RunRecord]:
    """Runs whose opening facts have these values, the newest first."""
    for directory in sorted(runs.glob("*"), reverse=True) if runs.is_dir() else ():
        opened = opening(directory)
        if opened is not None and all(opened.get(k) == v for k, v in facts.items()):
            yield read_record(directory)


def opening(directory: Path) -> dict[str, Any] | None:
    """The first event of a run, which says what it is; None where there is no such journal."""
    event = first_event(directory)
    return event if event["kind"] == "run_opened" else None


def _goes_by(directory: Path, run: str) -> bool:
    """Whether this is the beginning of the run's key or MLflow id; a journal is read where no shorter file tells it."""
    if directory.name.startswith(run):
        return True
    try:
        known = json.loads((directory / "sent.json").read_bytes())["run_id"]
    except (OSError, ValueError, KeyError, TypeError):
        known = ""
    return str(known or (read_record(directory).run_id if directory.is_dir() else "")).startswith(run)


def _named(runs: Path, run: str) -> list[Path]:
    """The directories of the runs that go by `run`; a whole key is one's own, however many other runs there are."""
    whole = runs / run
    if _KEY.fullmatch(run) and whole.is_dir():
        return [whole]
    return [path for path in runs.glob("*") if _goes_by(path, run)]


def find_run(runs: Path, run: str) -> RunRecord:
    """The run with this MLflow run id or key (or a beginning of either); TargetError when there is not exactly one."""
    directories = _named(runs, run) if run and runs.is_dir() else []
    found = [path for path in directories if opening(path) is not None]
    if len(found) == 1:
        return read_record(found[0])
    problem = "No run" if not found else f"{len(found)} runs"
    raise TargetError(f"{problem} of this project begins with '{run}'.", cure="Give the run id that `p2p run` printed.")
