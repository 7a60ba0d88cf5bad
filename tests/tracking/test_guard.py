"""A user's own MLflow calls, in a process that works for a run."""

from __future__ import annotations

import subprocess
import sys

from p2p.settings import Settings
from p2p.tracking import find_run, mlstore, read_events
from p2p.tracking.records import read_record

SCRIPT = """
import os, warnings
warnings.simplefilter("ignore")
import p2p
with p2p.run("mine") as run_id:
    import mlflow
    from mlflow import MlflowClient
    @p2p.step
    def work():
        mlflow.set_experiment("elsewhere")
        for n in (1, 2):
            from p2p.tracking import guard
            guard.install(); guard.arm()
            with mlflow.start_run():
                mlflow.log_metric(f"m{n}", n)
        mlflow.log_metric("plain", 3)
        return 1
    work()
    assert MlflowClient().get_run(run_id).info.status == "RUNNING"
left = [n for n in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID") if n in os.environ]
assert left == [], left
print(run_id)
"""


def test_what_a_step_logs_with_plain_mlflow_lands_in_the_run_and_does_not_end_it(settings: Settings) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    run = mlstore.connect(settings).get_run(done.stdout.split()[-1])
    assert run.info.status == "FINISHED"
    assert {n: run.data.metrics.get(n) for n in ("m1", "m2", "plain")} == {"m1": 1, "m2": 2, "plain": 3}
    assert find_run(settings.runs, run.info.run_id).status.value == "FINISHED"


LATE = """
import sys, warnings
warnings.simplefilter("ignore")
import p2p

@p2p.step
def work():
    assert "mlflow" not in sys.modules
    import mlflow
    with mlflow.start_run():
        mlflow.log_metric("late", 4)
    mlflow.log_param("after", "yes")
    assert mlflow.__spec__.loader is mlflow.__loader__ and "p2p" not in type(mlflow.__loader__).__module__
    return 1

with p2p.run("mine"):
    work()
"""


def test_what_is_logged_right_after_an_import_within_a_step_is_in_the_journal(settings: Settings) -> None:
    """So that whoever takes the step's result over has it too; and the run goes on when MLflow's own is closed."""
    done = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    (directory,) = settings.runs.iterdir()
    events = [event for event in read_events(directory) if event["kind"] == "logged"]
    assert [m["key"] for event in events for m in event.get("metrics", ())] == ["late"]
    assert [p["key"] for event in events for p in event.get("params", ())] == ["after"]
    run = mlstore.connect(settings).get_run(read_record(directory).run_id)
    assert (run.info.status, run.data.metrics["late"], run.data.params["after"]) == ("FINISHED", 4, "yes")


OUTSIDE = """
import json, os, warnings
warnings.simplefilter("ignore")
import p2p
before = dict(os.environ)
with p2p.run("mine"):
    import mlflow
    from p2p.tracking import guard
    guard.arm()
    assert os.environ["MLFLOW_RUN_ID"]
    assert {n: v for n, v in guard.outside().items() if before.get(n) != v} == {}, guard.outside()
"""


def test_a_command_that_is_no_part_of_the_run_finds_nothing_of_it(settings: Settings) -> None:
    done = subprocess.run([sys.executable, "-c", OUTSIDE], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
