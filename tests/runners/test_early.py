"""A pipeline's steps do not wait until MLflow has made the run, unless they may ask for it; and then they find it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from p2p.settings import Settings
from tests.mlflowside import ended

# In a process of its own, as this one has MLflow.
RUNS = """
import json, sys
from pathlib import Path
from p2p.params import ParameterSet
from p2p.runners import run_pipeline
from p2p.settings import load_settings
from p2p.tracking import read_events
from steps import pipeline
settings = load_settings(Path.cwd())
outcome = run_pipeline(pipeline, ParameterSet.of(pipeline.params).parse({}), settings)
kinds = [event["kind"] for event in read_events(settings.runs / outcome.key)]
print(json.dumps([kinds, outcome.run_id, outcome.outputs, outcome.status.value]))
"""
STEPS = """
from pydantic import BaseModel
from p2p import Pipeline, Task
class Params(BaseModel): pass
def give():
    {code}
pipeline = Pipeline(name="early", version=1, params=Params, tasks=[Task(give, outputs=["given"])])
"""


def ran(settings: Settings, code: str) -> tuple[list[str], str, dict[str, Any]]:
    """The kinds of the run's events in order, its id, and its outputs, where its one step has this code."""
    (settings.root / "steps.py").write_text(STEPS.format(code=code))
    done = subprocess.run(
        [sys.executable, "-c", RUNS], cwd=settings.root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    kinds, run_id, outputs, status = json.loads(done.stdout.splitlines()[-1])
    assert status == "FINISHED"
    assert ended(settings, run_id).info.status == "FINISHED"
    return kinds, run_id, outputs


def test_steps_begin_before_mlflow_has_made_the_run(settings: Settings) -> None:
    kinds, _, outputs = ran(settings, "return 1")
    assert outputs == {"given": 1}
    assert kinds.index("step_finished") < kinds.index("mlflow_run")


def test_code_that_reads_the_environment_finds_the_run_there(settings: Settings) -> None:
    kinds, run_id, outputs = ran(settings, "import os; return os.environ['MLFLOW_RUN_ID']")
    assert outputs == {"given": run_id}
    assert kinds.index("mlflow_run") < kinds.index("step_started")


@pytest.mark.parametrize(
    "helper",
    [
        pytest.param("mlflow.log_metric('score', 3)", marks=pytest.mark.soak),
        "with mlflow.start_run(): mlflow.log_metric('score', 3)",
    ],
)
def test_code_that_comes_to_mlflow_on_a_detour_logs_to_the_run(settings: Settings, helper: str) -> None:
    (settings.root / "detour.py").write_text(f"import mlflow\ndef log():\n    {helper}\n")
    kinds, run_id, _ = ran(settings, "import detour; detour.log(); return 1")
    assert ended(settings, run_id).data.metrics["score"] == 3
    assert kinds.index("step_started") < kinds.index("mlflow_run")
