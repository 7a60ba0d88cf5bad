"""Sweeps of a pipeline on Dask, as a person gives the commands: real clusters, real workers, real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from p2p.settings import Settings
from p2p.store import DiskStore
from p2p.tracking import RunRecord, read_events
from tests.journeys.workshop import REPOSITORY, Done, Workshop
from tests.mlflowside import ended
from tests.searching import files_with

pytest.importorskip("distributed", reason="it is an extra")

PARAMS = """
from pydantic import BaseModel, SecretStr

class Params(BaseModel):
    x: int = 1
    n: int = 3
    token: SecretStr = "none"
"""
STEPS = """
import os
import signal
import time
import numpy as np
import psutil

def load(n):
    return list(range(n))

def declared(n):
    with open("declared.txt") as file:
        return file.read()

def another(n):
    with open("another.txt") as file:
        return file.read()

def square(row, x):
    return float(np.multiply(row, x))

def where(x):
    print("noise on stdout", flush=True)
    os.write(1, b"noise on descriptor 1\\n")
    found = {"pid": os.getpid(), "of": os.getppid(), "left": os.environ.get("LEFT", ""), "at": os.getcwd(),
             "session": os.getsid(0)}
    os.environ["LEFT"] = "by another point"
    os.chdir("/")
    if x == 3:
        os._exit(0)
    return found

def score(x, token, squares, found):
    if x == 4:
        raise ValueError("four " + token.get_secret_value())
    return sum(squares)

def log(x):
    mlflow.log_metric("doubled", 2 * x)
    return mlflow.active_run().info.run_id

def wait(x):
    open(f"wait-{x}", "w").close()
    while x > 1:
        time.sleep(0.01)
        open(f"beat-{x}", "a").write(".")
    return x

def orphan(x):
    if x == 1:
        for process in psutil.process_iter(["cmdline"]):
            if "p2p.runners.repeated" in (process.info["cmdline"] or []) and os.getcwd() in process.info["cmdline"]:
                process.kill()
        while True:
            time.sleep(0.01)
            open("orphaned", "a").write(".")
    before = os.path.getsize("orphaned")
    time.sleep(0.5)
    return os.path.getsize("orphaned") - before
"""
PIPELINES = {
    "toy": """
    Task(steps.load, inputs=("n",), outputs=("rows",)),
    Task(steps.declared, inputs=("n",), outputs=("first",), policy=Policy(files="declared.txt")),
    Task(steps.another, inputs=("n",), outputs=("second",), policy=Policy(files="declared.txt")),
    Task(steps.square, inputs={"row": "rows", "x": "x"}, outputs=("squares",), over="rows"),
    Task(steps.where, inputs=("x",), outputs=("found",)),
    Task(steps.score, inputs=("x", "token", "squares", "found"), outputs=("total",)),
""",
    "waiting": '    Task(steps.wait, inputs=("x",), outputs=("y",)),',
    "logging": '    Task(steps.log, inputs=("x",), outputs=("y",)),',
    "orphaned": '    Task(steps.orphan, inputs=("x",), outputs=("y",)),',
}
PIPELINE = """
from p2p.pipeline import Pipeline, Task
from p2p.policy import Policy
from pipelines.NAME.v1 import steps
from pipelines.NAME.v1.params import Params

pipeline = Pipeline("NAME", 1, Params, [
TASKS
])
"""
SECRET = "hunter2hunter2"
MAY_TAKE = 60.0  # seconds


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Settings]) -> Workshop:
    settings = make_project(tmp_path_factory.mktemp("swept") / "project")
    for name, tasks in PIPELINES.items():
        folder = settings.pipelines / name / "v1"
        folder.mkdir(parents=True)
        pipeline = PIPELINE.replace("NAME", name).replace("TASKS", tasks)
        steps = "import mlflow\n" + STEPS if name == "logging" else STEPS  # it takes seconds in each process
        for module, text in {"params": PARAMS, "steps": steps, "pipeline": pipeline}.items():
            (folder / f"{module}.py").write_text(text)
        (folder / "manifest.json").write_text("{}")
        for package in (settings.pipelines, folder.parent, folder):
            (package / "__init__.py").touch()
    for name in ("declared", "another"):
        (settings.root / f"{name}.txt").write_text(name)
    return Workshop(settings)


def found(settings: Settings, record: RunRecord) -> dict[str, Any]:
    step = record.step("where")
    assert step is not None
    value: dict[str, Any] = DiskStore(settings.values).get(step.outputs["found"])
    return value


def kernels_of(records: Iterable[RunRecord]) -> set[int]:
    """The processes that have driven these runs."""
    events = [event for record in records for event in read_events(record.directory)]
    return {event["process"]["pid"] for event in events if event["kind"] == "kernel_started"}


class Swept:
    """Six points on workers of this machine, of which one kills its worker and one raises; and some of them here."""

    def __init__(self, shop: Workshop) -> None:
        self.settings = shop.settings
        points = ("sweep", "toy@1", "-p", f"token={SECRET}", "--keep-going", "--json", "-p")
        self.done: Done = shop.p2p(*points, "x=1,2,3,4,5,6", "--engine", "dask")
        self.records = {record.facts["tags"]["p2p.point"]: record for record in shop.records(run_kind="module")}
        self.here: Done = shop.p2p(*points, "x=1,4,5", "--no-cache")


@pytest.fixture(scope="module")
def swept(shop: Workshop) -> Swept:
    return Swept(shop)


def test_each_point_ends_as_it_truly_went_and_the_others_go_on(swept: Swept) -> None:
    assert swept.done.code == 1
    ends = [(point["status"], point["failed_step"], str(point["error"])[:17]) for point in swept.done.answer["points"]]
    assert ends == [
        ("FINISHED", None, "None"), ("FINISHED", None, "None"), ("FAILED", "where", "WorkerLost: Step "),
        ("FAILED", "score", "ValueError: four "), ("FINISHED", None, "None"), ("FINISHED", None, "None"),
    ]  # fmt: skip


def test_the_values_are_those_of_a_sweep_here(swept: Swept) -> None:
    def values(done: Done) -> list[Any]:
        points = [point for point in done.answer["points"] if point["parameters"]["x"] in (1, 4, 5)]
        return [(point["measures"], point["outputs"].get("total"), point["status"]) for point in points]

    assert values(swept.done) == values(swept.here)
    assert [point["measures"].get("total") for point in swept.done.answer["points"]] == [3, 6, None, None, 15, 18]


def test_one_cluster_runs_the_steps_of_all_points(swept: Swept) -> None:
    places = [found(swept.settings, swept.records[number]) for number in "12456"]
    kernels = kernels_of(swept.records.values())
    assert len({place["of"] for place in places}) == 1
    assert len({place["pid"] for place in places}) <= 3  # two workers, and one in the place of that which was killed
    assert kernels.isdisjoint(place["pid"] for place in places)


def test_as_many_points_run_at_once_as_the_cluster_has_threads(swept: Swept) -> None:
    first, second = (read_events(swept.records[number].directory) for number in "12")
    assert second[0]["at"] < first[-1]["at"]
    assert len(kernels_of(swept.records[number] for number in "12")) == 2


def test_a_step_that_points_have_in_common_is_run_once(swept: Swept) -> None:
    def states(name: str) -> dict[str, int]:
        steps = [step for record in swept.records.values() if (step := record.step(name)) is not None]
        found = [step.state.value for step in steps]
        return {state: found.count(state) for state in found}

    assert states("load") == {"done": 1, "cached": 5}
    assert states("declared") == {"done": 1, "cached": 5}
    assert states("another") == {"done": 6}, "a worker has seen that it opened what it does not declare"


def test_what_a_point_does_to_a_worker_does_not_reach_the_next(swept: Swept) -> None:
    places = [found(swept.settings, swept.records[number]) for number in "12456"]
    assert {(place["left"], place["at"]) for place in places} == {("", str(swept.settings.root))}


def test_mlflow_has_the_runs_below_the_sweep_and_the_secret_is_nowhere(swept: Swept) -> None:
    for point in swept.done.answer["points"]:
        run = ended(swept.settings, point["run_id"])
        assert run.info.status == point["status"]
        assert run.data.tags["mlflow.parentRunId"] == swept.done.answer["run_id"]
    assert files_with(SECRET, below=swept.settings.mlruns) == []
    assert SECRET not in swept.done.out + swept.done.err


def test_a_terminals_ctrl_c_does_not_reach_the_workers(swept: Swept) -> None:
    """Else they would be dead before the sweep has ended its runs, and points FAILED that are KILLED."""
    places = [found(swept.settings, swept.records[number]) for number in "12456"]
    assert [place["session"] for place in places] == [place["pid"] for place in places]


def test_what_steps_print_on_workers_is_not_shown_unless_it_is_asked_for(swept: Swept) -> None:
    assert "noise" not in swept.done.out + swept.done.err


def test_no_process_is_left(swept: Swept) -> None:
    places = [found(swept.settings, swept.records[number]) for number in "12456"]
    started = kernels_of(swept.records.values()) | {place["pid"] for place in places}
    assert [pid for pid in started if psutil.pid_exists(pid)] == []


def waiting(shop: Workshop, engine: str, **options: Any) -> subprocess.Popen[str]:
    """A sweep of which one point has finished and two are at work, in a process group of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "p2p", "sweep", "waiting@1", "-p", "x=1,2,3,4", "--engine", engine], cwd=shop.root,
        env=shop.env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
        start_new_session=True, **options,
    )  # fmt: skip
    try:
        limit = time.monotonic() + MAY_TAKE
        while not all((shop.root / f"beat-{x}").exists() for x in (2, 3)):
            assert time.monotonic() < limit
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
    except BaseException:
        process.kill()
        raise
    return process


def ends_at_ctrl_c(shop: Workshop, process: subprocess.Popen[str]) -> None:
    """A terminal's Ctrl-C goes to all processes of the command's group."""
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=MAY_TAKE)
    beats = [(shop.root / f"beat-{x}").stat().st_size for x in (2, 3)]
    assert process.returncode == 130
    assert time.monotonic() - began < 20  # 2 s on a machine that does nothing else
    assert "go on with it: p2p sweep waiting@1 --resume" in err
    assert [line.split()[2:4] for line in out.splitlines()[1:5]] == [
        ["✓", "finished"], ["■", "killed"], ["■", "killed"], ["not", "started"],
    ]  # fmt: skip
    time.sleep(0.3)
    assert beats == [(shop.root / f"beat-{x}").stat().st_size for x in (2, 3)], "they are at work still"


@pytest.fixture
def fresh(shop: Workshop) -> None:
    """No step of another test has begun."""
    for x in (1, 2, 3, 4):
        for name in ("wait", "beat"):
            (shop.root / f"{name}-{x}").unlink(missing_ok=True)


@pytest.mark.soak
@pytest.mark.usefixtures("fresh")
def test_ctrl_c_ends_the_points_and_the_workers(shop: Workshop) -> None:
    process = waiting(shop, "dask")
    started = psutil.Process(process.pid).children(recursive=True)
    ends_at_ctrl_c(shop, process)
    _, alive = psutil.wait_procs(started, timeout=MAY_TAKE)
    assert alive == []
    statuses = [record.status.value for record in shop.records() if record.facts["name"] == "waiting"]
    assert sorted(statuses) == ["FINISHED", "KILLED", "KILLED", "KILLED"]


@pytest.mark.soak
@pytest.mark.usefixtures("fresh")
def test_a_sweep_that_is_killed_leaves_no_run_no_process_and_no_worker(shop: Workshop) -> None:
    known = {record.key for record in shop.records()}
    process = waiting(shop, "dask")
    started = [child for child in psutil.Process(process.pid).children(recursive=True) if child.is_running()]
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(started, timeout=MAY_TAKE)
    assert [child.cmdline() for child in alive] == []
    statuses = [record.status.value for record in shop.records() if record.key not in known]
    assert sorted(statuses) == ["FINISHED", "KILLED", "KILLED", "KILLED"]


@pytest.mark.soak
def test_a_resumed_sweep_keeps_what_finished_and_goes_on_after_the_last_good_step(shop: Workshop, swept: Swept) -> None:
    again = shop.p2p("sweep", "toy@1", "--resume", swept.done.answer["key"], "-p", f"token={SECRET}", "--keep-going",
                     "--engine", "dask", "--no-cache", "--json").answer  # fmt: skip
    assert [point["kept"] for point in again["points"]] == [True, True, False, False, True, True]
    fourth = next(record for record in shop.records() if record.key == again["points"][3]["key"])
    assert [step.state.value for step in fourth.steps] == ["cached"] * 5 + ["failed"]


SERVER = """
import time
{first}
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, protocol="tcp://", dashboard_address=None, host="127.0.0.1",
                      processes={processes}) as cluster:
        print(cluster.scheduler_address, flush=True)
        time.sleep(600)
"""


class Served:
    """Somebody's scheduler and two workers, which are killed at the end; `first` is run in its process first."""

    def __init__(self, shop: Workshop, *, first: str = "", processes: bool = True) -> None:
        script = shop.root / "server.py"
        script.write_text(SERVER.format(first=first, processes=processes))
        env = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        self.process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=env,
                                        stderr=subprocess.DEVNULL, cwd=shop.root)  # fmt: skip
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()

    def kill(self) -> None:
        if self.process.poll() is None:
            for process in (*psutil.Process(self.process.pid).children(recursive=True), self.process):
                process.kill()
            self.process.communicate()


@pytest.fixture
def served(shop: Workshop) -> Iterator[Callable[..., Served]]:
    made: list[Served] = []

    def make(**options: Any) -> Served:
        made.append(Served(shop, **options))
        return made[-1]

    yield make
    for one in made:
        one.kill()


def test_workers_that_lack_a_module_are_refused_before_any_run_begins(
    shop: Workshop, served: Callable[..., Served]
) -> None:
    hide = "import importlib.util as u; find = u.find_spec; u.find_spec = lambda n: None if n == 'numpy' else find(n)"
    before = len(shop.records())
    done = shop.p2p("sweep", "toy@1", "-p", "x=1,2", "--engine", served(first=hide, processes=False).address, "--json")
    assert (done.code, done.answer["kind"]) == (2, "InputRefused")
    assert "lacks module numpy" in done.answer["error"]
    assert len(shop.records()) == before


@pytest.mark.soak
def test_what_a_step_logs_on_a_worker_lands_in_its_points_run(shop: Workshop) -> None:
    done = shop.p2p("sweep", "logging@1", "-p", "x=1,2", "--json", "--engine", "dask").answer
    assert [point["measures"]["doubled"] for point in done["points"]] == [2, 4]
    assert [point["outputs"]["y"] for point in done["points"]] == [point["run_id"] for point in done["points"]]
    assert [ended(shop.settings, point["run_id"]).data.metrics["doubled"] for point in done["points"]] == [2, 4]


@pytest.mark.soak
def test_a_scheduler_at_an_address_gives_the_values_of_a_sweep_here(
    shop: Workshop, swept: Swept, served: Callable[..., Served]
) -> None:
    """Nothing is kept for other runs: another machine's files are others."""
    cluster = served()
    done = shop.p2p("sweep", "toy@1", "-p", "x=1,5", "--engine", cluster.address, "--json").answer
    here = {point["parameters"]["x"]: point["measures"] for point in swept.here.answer["points"]}
    assert {point["parameters"]["x"]: point["measures"] for point in done["points"]} == {x: here[x] for x in (1, 5)}
    records = [record for record in shop.records(run_kind="module") if record.facts["parent"] == done["key"]]
    assert {step.state.value for record in records for step in record.steps} == {"done"}
    workers = {child.pid for child in psutil.Process(cluster.process.pid).children(recursive=True)}
    assert {found(shop.settings, record)["pid"] for record in records} <= workers


@pytest.mark.soak
@pytest.mark.usefixtures("fresh")
def test_ctrl_c_ends_what_is_at_work_on_somebody_elses_workers_and_leaves_these_alive(
    shop: Workshop, served: Callable[..., Served]
) -> None:
    cluster = served()
    before = psutil.Process(cluster.process.pid).children(recursive=True)
    ends_at_ctrl_c(shop, waiting(shop, cluster.address))
    assert [worker for worker in before if not worker.is_running()] == []


@pytest.mark.soak
@pytest.mark.usefixtures("fresh")
def test_a_scheduler_that_is_gone_ends_the_sweep_and_no_other_point_begins(
    shop: Workshop, served: Callable[..., Served]
) -> None:
    cluster = served()
    process = subprocess.Popen(
        [sys.executable, "-m", "p2p", "sweep", "waiting@1", "-p", "x=2,3,4,5,6,7", "--keep-going", "--json",
         "--engine", cluster.address], cwd=shop.root, env=shop.env, text=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    limit = time.monotonic() + MAY_TAKE
    while not (shop.root / "beat-3").exists():
        assert time.monotonic() < limit
        time.sleep(0.05)
    cluster.kill()
    began = time.monotonic()
    out, _ = process.communicate(timeout=MAY_TAKE)
    answer = Done(process.returncode, out, "").answer
    assert time.monotonic() - began < 30
    assert (process.returncode, answer["status"]) == (1, "FAILED")
    assert answer["error"] == f"the Dask scheduler at '{cluster.address}' is gone"
    assert [point["status"] for point in answer["points"][:2]] == ["FAILED", "FAILED"]
    assert answer["points"][-1]["status"] is None


@pytest.mark.soak
def test_what_a_dead_process_had_at_work_on_a_worker_is_ended(shop: Workshop) -> None:
    done = shop.p2p(
        "sweep", "orphaned@1", "-p", "x=1,2", "-j", "1", "--keep-going", "--json", "--engine", "dask"
    ).answer
    assert [(point["status"], point["error"]) for point in done["points"]] == [
        ("FAILED", "the process of the pipeline died"), ("FINISHED", None),
    ]  # fmt: skip
    assert done["points"][1]["measures"]["y"] == 0, "it is at work still"
