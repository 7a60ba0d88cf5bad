"""A pipeline at many points: in processes that have imported it once, each run as a new process would run it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from p2p.export.targets import load_pipeline
from p2p.settings import Settings
from p2p.sweep import Listed, PipelineTarget, Request, SweepOptions, SweepOutcome, plan, run_sweep
from p2p.tracking import RunRecord, past_runs
from p2p.tracking.beside import Beside
from tests.building import pipelines_apart
from tests.mlflowside import ended
from tests.searching import files_with

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

PARAMS = """
from pydantic import BaseModel, SecretStr

class Params(BaseModel):
    x: int = 1
    token: SecretStr = "none"
"""
STEPS = """
import os
import random
import mlflow
import matplotlib.pyplot as plt

def load(x):
    print("noise on stdout", flush=True)
    os.write(1, b"noise on descriptor 1\\n")
    found = {"pid": os.getpid(), "left": os.environ.get("LEFT", ""), "at": os.path.basename(os.getcwd()),
             "drawn": random.random()}
    os.environ["LEFT"] = "by another point"
    os.chdir("/")
    random.seed(0)
    plt.figure()
    if x == 3:
        os._exit(0)
    return found

def score(x, token, found):
    if x == 4:
        raise ValueError("four " + token.get_secret_value())
    if x == 5:
        raise SystemExit(0)
    mlflow.log_metric("doubled", 2 * x)
    return 10 * x
"""
PIPELINE = """
from p2p.pipeline import Pipeline, Task
from pipelines.toy.v1 import steps
from pipelines.toy.v1.params import Params

pipeline = Pipeline("toy", 1, Params, [
    Task(steps.load, inputs=("x",), outputs=("found",)),
    Task(steps.score, inputs=("x", "token", "found"), outputs=("total",)),
])
"""
SECRET = "hunter2hunter2"


def write_pipeline(settings: Settings, steps: str) -> None:
    folder = settings.pipelines / "toy" / "v1"
    folder.mkdir(parents=True)
    for name, text in {"params": PARAMS, "steps": steps, "pipeline": PIPELINE}.items():
        (folder / f"{name}.py").write_text(text)
    (folder / "manifest.json").write_text("{}")
    for package in (settings.pipelines, folder.parent, folder):
        (package / "__init__.py").touch()


class Swept:
    """Six points, of which one kills its process, one raises and one calls `sys.exit`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        write_pipeline(settings, STEPS)
        self.target = target = PipelineTarget(load_pipeline("toy@1", settings), settings)
        points = plan(target.parameters, Request(values={"x": "1,2,3,4,5,6", "token": SECRET})).points
        secrets = frozenset[str]().union(*(point.secrets for point in points))
        options = SweepOptions(keep_going=True, secrets=secrets)
        self.done: SweepOutcome = run_sweep(target, Listed(points), settings, options=options)
        self.records: list[RunRecord] = list(past_runs(settings.runs, run_kind="module"))[::-1]

    def found(self, point: int) -> Mapping[str, Any]:
        from p2p.store import DiskStore

        step = self.records[point - 1].step("load")
        assert step is not None
        value: dict[str, Any] = DiskStore(self.settings.values).get(step.outputs["found"])
        return value


@pytest.fixture(scope="module")
def swept(make_project: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swept]:
    settings = make_project(tmp_path_factory.mktemp("pipelines") / "project")
    with pipelines_apart(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("P2P_ROOT", str(settings.root))
        patch.setenv("MLFLOW_TRACKING_URI", settings.tracking_uri)
        patch.chdir(settings.root)
        yield Swept(settings)


def test_each_point_ends_as_it_truly_went_and_the_others_go_on(swept: Swept) -> None:
    states = [(point.status, point.failed_step, point.error) for point in swept.done.points]
    assert states == [
        ("FINISHED", "", ""), ("FINISHED", "", ""), ("FAILED", "load", "the process of the pipeline died"),
        ("FAILED", "score", "ValueError: four **********"), ("FAILED", "score", "SystemExit: 0"), ("FINISHED", "", ""),
    ]  # fmt: skip
    assert swept.done.status == "FAILED"
    assert [point.measures.get("total") for point in swept.done.points] == [10, 20, None, None, None, 60]
    assert [point.measures.get("doubled") for point in swept.done.points] == [2, 4, None, None, None, 12]


def test_a_process_that_has_imported_the_pipeline_runs_point_after_point(swept: Swept) -> None:
    processes = [swept.found(point)["pid"] for point in (1, 2, 4, 5, 6)]
    assert len(set(processes)) == 2  # another one after the third point, which killed the first
    assert processes[0] == processes[1]
    assert processes[2] == processes[4]


def test_what_a_point_does_to_its_process_does_not_reach_the_next(swept: Swept) -> None:
    assert {(swept.found(n)["left"], swept.found(n)["at"]) for n in (1, 2, 4, 5, 6)} == {("", "project")}
    assert len({swept.found(n)["drawn"] for n in (1, 2, 4, 5, 6)}) == 5
    figures = [len(list((record.directory / "figures").glob("*"))) for record in swept.records]
    assert [figures[n - 1] for n in (1, 2, 4, 5, 6)] == [1] * 5


def test_mlflow_has_the_runs_below_the_sweep_and_the_secret_is_nowhere(swept: Swept) -> None:
    for point in swept.done.points:
        run = ended(swept.settings, point.run_id)
        assert (run.info.status, run.data.tags["mlflow.parentRunId"]) == (point.status, swept.done.run_id)
    assert files_with(SECRET, below=swept.settings.mlruns) == []


def test_no_process_and_no_pipe_is_left(swept: Swept) -> None:
    import psutil

    assert [n for n in (1, 2, 4, 5, 6) if psutil.pid_exists(swept.found(n)["pid"])] == []
    pipes = [pipe for one in swept.target._all for pipe in (one._process.stdin, one._process.stdout)]
    assert [pipe.closed for pipe in pipes if pipe is not None] == [True] * 4


def test_the_project_is_left_as_it_was(swept: Swept) -> None:
    assert Path.cwd() == swept.settings.root


def test_a_point_that_does_not_ask_for_its_run_does_not_wait_for_mlflow(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow takes longer for a run than such a point does, and those of a long sweep would wait for it in turn."""
    waited: list[str] = []
    run_id = Beside.run_id

    def told(beside: Beside, key: str) -> tuple[str, str]:
        waited.append(key)
        return run_id(beside, key)

    monkeypatch.setattr(Beside, "run_id", told)
    write_pipeline(settings, "def load(x):\n    return x\n\ndef score(x, token, found):\n    return found + x\n")
    with pipelines_apart():
        target = PipelineTarget(load_pipeline("toy@1", settings), settings)
        points = plan(target.parameters, Request(values={"x": "1,2,3"})).points
        done = run_sweep(target, Listed(points), settings)
    assert waited == [done.key]
    assert [point.outputs["total"] for point in done.points] == [2, 4, 6]
    runs = [ended(settings, point.run_id) for point in done.points]
    assert [(run.info.status, run.data.tags["mlflow.parentRunId"]) for run in runs] == [("FINISHED", done.run_id)] * 3
