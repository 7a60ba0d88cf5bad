"""A pipeline run by p2p, and what its journal says about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from benchmarks.speed.work.timing import expect
from p2p import Pipeline
from p2p.outcome import RunOutcome
from p2p.params import ParameterSet
from p2p.runners import run_pipeline
from p2p.settings import Settings
from p2p.tracking.journal import read_events


@dataclass(frozen=True)
class Run:
    """One run that has finished.

    Attributes:
        outputs: its final values.
        states: how many steps ended how.
        loop: seconds from the first step's start to the last one's end.
    """

    outputs: Mapping[str, Any]
    states: Mapping[str, int]
    loop: float


def ran(pipeline: Pipeline, settings: Settings, params: Mapping[str, Any], *, engine: str = "local") -> Run:
    """Run a pipeline as `p2p run` does, until MLflow knows all of it: one tracked run, whose results are kept."""
    return told(outcome_of(pipeline, settings, params, engine=engine), settings)


def outcome_of(
    pipeline: Pipeline, settings: Settings, params: Mapping[str, Any], *, engine: str = "local",
    later: ExitStack | None = None,
) -> RunOutcome:  # fmt: skip
    """The outcome of a run; with `later`, as soon as it is there, and MLflow is waited for when the stack is closed."""
    values = ParameterSet.of(pipeline.params).parse(dict(params))
    return run_pipeline(pipeline, values, settings, engine=engine, later=later)


def told(outcome: RunOutcome, settings: Settings) -> Run:
    """What the journal of a run says, which must have come to a good end."""
    expect((outcome.status.value, outcome.error), ("FINISHED", ""))
    events = read_events(settings.runs / outcome.key)
    starts = [event["at"] for event in events if event["kind"] == "step_started"]
    ends = [event["at"] for event in events if event["kind"] == "step_finished"]
    return Run(outcome.outputs, Counter(step.state.value for step in outcome.steps), (max(ends) - min(starts)) / 1e9)
