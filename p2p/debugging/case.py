"""Which step of which run is debugged, and how it failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from p2p.errors import InputRefused, TargetError, nearest
from p2p.history import Run, Summaries
from p2p.model import RunStatus, StepRecord, StepState
from p2p.settings import Settings
from p2p.tracking import RunRecord, find_run, read_events
from p2p.tracking.records import failed_step, why_killed
from p2p.upkeep import PastRuns

KINDS = ("notebook", "interactive", "module", "script")


@dataclass(frozen=True)
class Case:
    """A step of a past run.

    Attributes:
        run: the run.
        step: how the step went.
        function: the qualified name of its function; empty for a cell.
        mapped: whether it was called for each of its items.
        module: the module that defines the function; empty for a cell, a notebook's function and a script's own.
        traceback: of what it raised; empty where none was told.
    """

    run: Run
    step: StepRecord
    function: str = ""
    module: str = ""
    mapped: bool = False
    traceback: str = ""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What was known of the run when it opened."""
        return self.run.record.facts

    @property
    def kind(self) -> str:
        return str(self.facts["run_kind"])

    @property
    def name(self) -> str:
        """The notebook's or pipeline's."""
        return str(self.facts["name"])


def find_case(run: str, step: str, settings: Settings) -> Case:
    """The step of a run (an MLflow run id, a key, or the beginning of either); the one that failed when none is named.

    Raises:
        TargetError: there is no such run or step.
        InputRefused: no step of the run has failed, the run is of a kind that has no code to open, or the step is a
            part of another one, which has its inputs.
    """
    record = find_run(settings.runs, run)
    if record.facts.get("run_kind") not in KINDS:
        raise InputRefused(
            f"Run {record.key} is of the kind {record.facts.get('run_kind')}; a step of a notebook's, a pipeline's "
            "or a script's run can be debugged.",
            cure="Name such a run; a sweep's are in the table that it printed.",
        )
    return _case(_past(record, settings), _step(record, step))


def last_good_run(case: Case, settings: Settings, verified: str = "") -> Run | None:
    """The newest other run of the same notebook or pipeline that has finished; the one that proved a version counts."""
    summaries = Summaries(settings)
    for past in PastRuns(settings).having(name=case.name, run_kind=case.kind):
        counts = not past.purpose or (verified and past.run_id == verified)
        if counts and past.status is RunStatus.FINISHED and past.key != case.run.summary.key:
            return Run(summaries.of(past), settings)
    return None


def _past(record: RunRecord, settings: Settings) -> Run:
    known = Summaries(settings).having(name=record.facts["name"], run_kind=record.facts["run_kind"])
    found = next((summary for summary in known if summary.key == record.key), None)
    if found is None:
        raise InputRefused(
            f"Run {record.key} only tested an export.", cure="`p2p export` says how the module's values differed."
        )
    return Run(found, settings)


def _step(record: RunRecord, wanted: str) -> StepRecord:
    steps = {step.name: step for step in (*record.steps, *record.cut_short)}
    told = f"Its steps: {', '.join(steps) or 'none'}."
    name = wanted or _failed(record)
    if not name:
        raise InputRefused(f"No step of the run {record.key} has failed. {told}", cure="Name one: --step STEP.")
    if name not in steps:
        close = nearest(name, steps)
        raise TargetError(
            f"The run {record.key} has no step '{name}'. {told}", cure=f"Closest name: '{close}'." if close else ""
        )
    found = steps[name]
    if found.parent:
        raise InputRefused(
            f"Step '{name}' ran within step '{found.parent}', as a part of it: its own inputs were not stored.",
            cure=f"Debug the outer one: --step {found.parent}.",
        )
    return found


def _failed(record: RunRecord) -> str:
    """The step that the run failed by, or that failed in a run that went on; others may have ended well after it."""
    told = str(record.end.get("failed_step") or "") or failed_step(record.directory)
    failed = [step.name for step in record.steps if step.state is StepState.FAILED and not step.parent]
    return told or (failed[-1] if failed else "")


def _case(run: Run, step: StepRecord) -> Case:
    """The case, with what only the step's events say."""
    told: Mapping[str, Any] = {}
    traceback, at = "", ""
    for event in read_events(run.directory):
        if event["kind"] == "step_started" and event["step"] == step.name:
            told, at = event.get("attributes") or {}, event["id"]
        elif event["kind"] == "step_finished" and event["id"] == at:
            traceback = str(event.get("traceback") or "")
    function, module = (str(told.get(fact) or "") for fact in ("function", "module"))
    return Case(run, step, function, module, bool(told.get("mapped")), traceback or why_killed(run.directory))
