"""A user's own MLflow calls, in a process that works for a run."""

from __future__ import annotations

import subprocess
import sys

from p2p.settings import Settings
from p2p.tracking import find_run, mlstore

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
