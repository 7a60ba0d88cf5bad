"""Steps beside each other give, record and fail as they do one after another. Real processes, real runs."""

from __future__ import annotations

import importlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dask import sizeof
from distributed import utils_comm
from distributed.comm import core as comm_core
from distributed.protocol import compression
from pydantic import BaseModel

from p2p import Pipeline, Policy, Task
from p2p.errors import StepTimeout, WorkerLost
from p2p.execution import Services, use_services
from p2p.model import RunStatus
from p2p.params import ParameterSet
from p2p.runners import dask, run_pipeline
from p2p.runners.beside import run_beside
from p2p.runners.local import Here, StepFailed, run_tasks
from p2p.runners.order import may_draw, runs_alone, waits
from p2p.runners.processes import ProcessEngine, processes
from p2p.settings import Settings
from p2p.tracking import find_run
from p2p.tracking.ownrun import OwnRun
from tests.mlflowside import ended

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


class Params(BaseModel):
    log: str = ""


def at(log: str, name: str) -> None:
    (Path(log) / name).touch()


def meet(log: str, own: str, other: str) -> str:
    """Ends only when the other one has begun, too."""
    at(log, own)
    limit = time.monotonic() + 30
    while not (Path(log) / other).exists():
        assert time.monotonic() < limit, f"{other} did not begin"
        time.sleep(0.01)
    return own


def left(log: str) -> str:
    return meet(log, "left", "right")


def right(log: str) -> str:
    return meet(log, "right", "left")


def join(left: str, right: str) -> str:
    return left + right


BOTH = [Task(left, ["log"], ["left"]), Task(right, ["log"], ["right"]), Task(join, ["left", "right"], ["both"])]


@pytest.fixture
def run(services: Services, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Runs tasks, two at once, which may leave files in the folder `log`."""
    log = tmp_path / "log"
    log.mkdir()
    own_run = OwnRun("0" * 32, "", f"sqlite:///{tmp_path}/none.db", tmp_path, lambda kind, **data: None)

    def run(*tasks: Task, jobs: int = 2) -> dict[str, Any]:
        pipeline = Pipeline(name="many", version=1, params=Params, tasks=tasks)
        with processes(jobs) as slots:
            engine = ProcessEngine(slots, own_run)
            return run_tasks(pipeline, {"log": str(log)}, services, engine, jobs=jobs)

    return run


def seen(tmp_path: Path) -> set[str]:
    return {path.name for path in (tmp_path / "log").iterdir()}


def test_steps_that_do_not_wait_for_each_other_run_at_the_same_time(run: Any, events: Any) -> None:
    assert run(*BOTH)["both"] == "leftright"
    assert sorted(e["step"] for e in events.of("step_finished")) == ["join", "left", "right"]
    assert events.all[-1]["step"] == "join"


def total(rows: list[int]) -> int:
    return sum(rows)


def rows(log: str) -> list[int]:
    return [1, 2, 3]


def largest(rows: list[int]) -> int:
    return max(rows)


def both(total: int, largest: int) -> tuple[int, int]:
    return total, largest


def once(x: int) -> int:
    return x + 1


PIPELINE = Pipeline(name="beside", version=1, params=Params, tasks=[
    Task(rows, ["log"], ["rows"]), Task(total, ["rows"], ["total"]), Task(largest, ["rows"], ["largest"]),
    Task(once, ["rows"], ["more"], over="rows"), Task(both, ["total", "largest"], ["a", "b"]),
])  # fmt: skip


def test_a_run_with_jobs_is_recorded_like_one_without(settings: Settings) -> None:
    found = []
    for jobs in (1, 3):
        outcome = run_pipeline(PIPELINE, ParameterSet.of(Params).parse(), settings, jobs=jobs)
        assert outcome.status is RunStatus.FINISHED
        record = find_run(settings.runs, outcome.key)
        steps = {s.name: (s.state, s.attempts, s.parent, {n: r.digest for n, r in s.inputs.items()},
                          {n: r.digest for n, r in s.outputs.items()}) for s in record.steps}  # fmt: skip
        found.append((outcome.outputs, steps))
        assert ended(settings, outcome.run_id).data.metrics["once/attempts"] == 1
    assert found[0] == found[1]
    assert found[0][0] == {"more": [2, 3, 4], "a": 6, "b": 3}


def broken(log: str) -> int:
    at(log, "broken")
    raise ValueError("no")


def endless(log: str) -> int:
    meet(log, "endless", "broken")
    time.sleep(600)
    return 1


def after(x: int) -> int:
    return x


def test_when_a_step_fails_no_other_begins_and_those_at_work_are_ended(settings: Settings, tmp_path: Path) -> None:
    pipeline = Pipeline(name="failing", version=1, params=Params, tasks=[
        Task(endless, ["log"], ["x"]), Task(broken, ["log"], ["y"]), Task(after, ["x"], ["z"]),
    ])  # fmt: skip
    began = time.monotonic()
    outcome = run_pipeline(pipeline, ParameterSet.of(Params).parse({"log": str(tmp_path)}), settings, jobs=2)
    assert time.monotonic() - began < 25
    assert (outcome.status, outcome.failed_step) == (RunStatus.FAILED, "broken")
    assert "ValueError: no" in outcome.error
    assert {s.name: s.error.partition(":")[0] for s in outcome.steps} == {"endless": "LetGo", "broken": "ValueError"}


def flaky(log: str) -> str:
    if not (Path(log) / "flaky").exists():
        at(log, "flaky")
        raise OSError("not yet")
    return "done"


def test_a_step_keeps_its_policy(run: Any, waits: list[float], events: Any) -> None:
    assert run(Task(flaky, ["log"], ["x"], policy=Policy(retries=1, backoff=0)))["x"] == "done"
    assert events.last("step_finished")["attempts"] == 2


def block(log: str) -> str:
    at(log, "block")
    try:
        time.sleep(600)
    except BaseException:
        time.sleep(600)
    return "x"


def test_a_step_whose_time_is_over_is_ended_also_where_it_does_not_stop(run: Any) -> None:
    with pytest.raises(StepFailed) as failed:
        run(Task(block, ["log"], ["x"], policy=Policy(timeout=0.5)))
    assert isinstance(failed.value.__cause__, StepTimeout)


def die(log: str) -> str:
    if not (Path(log) / "die").exists():
        at(log, "die")
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def test_a_process_that_dies_is_a_failed_attempt_and_another_one_takes_its_place(run: Any, tmp_path: Path) -> None:
    assert run(Task(die, ["log"], ["x"], policy=Policy(retries=1, backoff=0)), jobs=2)["x"] == "done"
    (tmp_path / "log" / "die").unlink()
    with pytest.raises(StepFailed, match=r"its process ended .signal 9") as failed:
        run(Task(die, ["log"], ["x"]))
    assert isinstance(failed.value.__cause__, WorkerLost)


def draw(log: str) -> float:
    return random.random()


def draw_unseen(log: str) -> float:
    hidden: Any = importlib.import_module("ran" + "dom")
    return float(getattr(hidden, "ran" + "dom")())


def test_random_numbers_go_on_from_step_to_step_as_one_after_another(run: Any, services: Services) -> None:
    tasks = [Task(draw, ["log"], ["a"]), Task(rows, ["log"], ["r"]), Task(draw, ["log"], ["b"], name="again")]
    random.seed(5)
    found = run(*tasks)
    after_it = random.random()
    random.seed(5)
    pipeline = Pipeline(name="many", version=1, params=Params, tasks=tasks)
    with use_services(services):
        expected = run_tasks(pipeline, {"log": ""}, services, Here())
    assert (found["a"], found["b"], after_it) == (expected["a"], expected["b"], random.random())


def test_a_step_that_draws_unseen_beside_others_is_refused(run: Any) -> None:
    with pytest.raises(StepFailed, match=r"'draw_unseen' draws from a global random generator .random."):
        run(Task(draw_unseen, ["log"], ["a"]))


def grow(rows: list[int]) -> int:
    rows.append(1)
    return len(rows)


def test_a_change_that_nobody_would_see_is_refused(run: Any) -> None:
    with pytest.raises(StepFailed, match="changes its input 'rows' in place, which is not among its outputs"):
        run(Task(rows, ["log"], ["rows"]), Task(grow, ["rows"], ["n"]))


def nothing(*_args: Any) -> None:
    pass


def task(name: str, takes: str, gives: str) -> Task:
    return Task(nothing, takes.split(), gives.split(), name=name)


def test_a_step_waits_for_what_touches_its_names_and_one_that_may_change_a_value_runs_alone() -> None:
    assert waits([task("a", "x", "y"), task("b", "x", "z"), task("c", "y", "w"), task("d", "z w", "v")]) == [
        set(), set(), {0}, {1, 2},
    ]  # fmt: skip
    again = [task("a", "x", "y"), task("b", "y", "z"), task("c", "x", "y"), task("d", "q", "y")]
    assert waits(again) == [set(), {0}, {0, 1}, {0, 1, 2}]
    assert waits([task("a", "x", "y"), task("b", "q", "q"), task("c", "p", "r")]) == [set(), {0}, {1}]


class Model:
    def fit(self) -> float:
        return random.gauss(0, 1)


def hidden_in_a_helper() -> float:
    return Model().fit()


def test_what_draws_is_told_by_the_names_in_a_function_and_in_its_helpers() -> None:
    assert may_draw(draw)
    assert may_draw(hidden_in_a_helper)
    assert not may_draw(total)
    assert not may_draw(len)
    assert runs_alone(Task(draw))
    assert not runs_alone(Task(draw_unseen))


def test_no_more_than_so_many_pieces_run_at_once() -> None:
    at_once: list[int] = []
    running: set[int] = set()

    def piece(number: int) -> None:
        running.add(number)
        at_once.append(len(running))
        time.sleep(0.01)
        running.discard(number)

    run_beside([set()] * 9, piece, jobs=3, end=nothing)
    assert len(at_once) == 9
    assert max(at_once) <= 3


SLEEPER = """
from pathlib import Path
from pydantic import BaseModel
from p2p import Pipeline, Task

class Params(BaseModel):
    log: str = ""

def sleep(log: str) -> int:
    import subprocess, sys, time
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(log).write_text(str(child.pid))
    time.sleep(600)
    return 1

pipeline = Pipeline(name="sleeper", version=1, params=Params, tasks=[
    Task(sleep, ["log"], ["a"]), Task(sleep, ["log"], ["b"], name="other"),
])
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_run_its_processes_and_what_they_started(
    settings: Settings, tmp_path: Path, number: int
) -> None:
    home = settings.root / "pipelines" / "sleeper"
    (home / "v1").mkdir(parents=True)
    for package in (home.parent, home / "v1"):
        (package / "__init__.py").touch()
    (home / "v1" / "pipeline.py").write_text(SLEEPER, encoding="utf-8")
    (home / "v1" / "manifest.json").touch()
    (home / "__init__.py").write_text("from .v1.pipeline import pipeline as pipeline\n", encoding="utf-8")
    log = tmp_path / "child"
    started = subprocess.Popen(
        [sys.executable, "-m", "p2p", "run", "sleeper", "-p", f"log={log}", "-j", "2"], cwd=settings.root,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    limit = time.monotonic() + 60
    while not (log.exists() and log.read_text(encoding="utf-8")):
        assert started.poll() is None, started.communicate(timeout=5)
        assert time.monotonic() < limit
        time.sleep(0.05)
    started.send_signal(number)
    began = time.monotonic()
    _out, err = started.communicate(timeout=30)
    assert started.returncode == 130, err
    assert time.monotonic() - began < 10
    child = Path(f"/proc/{log.read_text(encoding='utf-8')}/stat")
    assert not child.exists() or " Z " in child.read_text(encoding="utf-8")
    [record] = [find_run(settings.runs, path.name) for path in settings.runs.iterdir()]
    assert record.status is RunStatus.KILLED


def test_steps_on_dask_run_at_the_same_time_too_and_are_ended_when_one_fails(
    services: Services, tmp_path: Path, events: Any
) -> None:
    own_run = OwnRun("0" * 32, "", f"sqlite:///{tmp_path}/none.db", tmp_path, lambda kind, **data: None)
    with dask.cluster("dask") as client:
        pipeline = Pipeline(name="many", version=1, params=Params, tasks=BOTH)
        engine = dask.DaskEngine(client, own_run, own=True)
        assert run_tasks(pipeline, {"log": str(tmp_path)}, services, engine, jobs=2)["both"] == "leftright"
        failing = [Task(endless, ["log"], ["x"]), Task(broken, ["log"], ["y"])]
        pipeline = Pipeline(name="failing", version=1, params=Params, tasks=failing)
        engine = dask.DaskEngine(client, own_run, own=True)
        began = time.monotonic()
        with pytest.raises(StepFailed, match="no"):
            run_tasks(pipeline, {"log": str(tmp_path)}, services, engine, jobs=2)
        assert time.monotonic() - began < 20
    assert events.last("step_finished", "endless")["error_type"] == "LetGo"


def sending(log: str) -> float:
    """While this step draws, the threads of its worker send messages, as they do each half second."""
    random.seed(1)
    first = random.random()
    sizeof.sizeof(list(range(100)))
    compression.byte_sample(memoryview(bytes(1000)), 10, 5)
    comm_core.random.uniform(0, 1)
    utils_comm.random.random()
    return first + random.random()


def test_what_dask_draws_for_itself_moves_no_generator_of_a_step(services: Services, tmp_path: Path) -> None:
    """It would draw in the middle of a step: numbers that were seeded would be others now and then."""
    own_run = OwnRun("0" * 32, "", f"sqlite:///{tmp_path}/none.db", tmp_path, lambda kind, **data: None)
    with dask.cluster("dask") as client:
        pipeline = Pipeline(name="sends", version=1, params=Params, tasks=[Task(sending, ["log"], ["drawn"])])
        found = run_tasks(pipeline, {"log": ""}, services, dask.DaskEngine(client, own_run, own=True))["drawn"]
    alone = random.Random(1)
    assert found == alone.random() + alone.random()
