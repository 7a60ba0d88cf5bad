"""A step on a Dask worker keeps its policy, and is recorded, as in this process. A real cluster, real workers."""

from __future__ import annotations

import gc
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel

from p2p import Pipeline, Policy, Task, idempotency_key, step
from p2p.errors import InputRefused, StepTimeout, WorkerLost
from p2p.execution import Services
from p2p.model import RunStatus
from p2p.params import ParameterSet
from p2p.runners import cluster, dask, run_pipeline, worker
from p2p.runners.local import Engine, Here, Isolated, StepFailed, run_tasks
from p2p.settings import Settings
from p2p.tracking import find_run
from p2p.tracking.ownrun import OwnRun
from tests.mlflowside import ended

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


class Params(BaseModel):
    log: str = ""


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with dask.cluster("dask") as client:
        yield client


@pytest.fixture(params=["local", "isolated", "dask"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """Each property is one of all."""
    if request.param != "dask":
        return Here() if request.param == "local" else Isolated()
    own_run = OwnRun("0" * 32, "", f"sqlite:///{tmp_path}/none.db", tmp_path, lambda kind, **data: None)
    return dask.DaskEngine(request.getfixturevalue("client"), own_run, own=True)


@pytest.fixture
def run(engine: Engine, services: Services, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Runs tasks, which may write a line into the file `log`."""

    def run(*tasks: Task) -> dict[str, Any]:
        pipeline = Pipeline(name="many", version=1, params=Params, tasks=tasks)
        return run_tasks(pipeline, {"log": str(tmp_path / "log")}, services, engine)

    return run


def note(log: str, text: str) -> list[str]:
    """Write a line; gives all that are there."""
    with Path(log).open("a", encoding="utf-8") as file:
        file.write(f"{text}\n")
    return lines(log)


def lines(log: str | Path) -> list[str]:
    return Path(log).read_text(encoding="utf-8").split()


def make(log: str) -> list[int]:
    return [1]


def grow_at_second(rows: list[int], log: str) -> list[int]:
    rows.append(2)
    if len(note(log, str(len(rows)))) == 1:
        raise OSError("not yet")
    return rows


def test_a_retry_starts_from_what_the_first_attempt_found(run: Any, tmp_path: Path, events: Any) -> None:
    values = run(
        Task(make, ["log"], ["rows"]),
        Task(grow_at_second, ["rows", "log"], ["rows"], policy=Policy(retries=1, backoff=0)),
    )
    assert values["rows"] == [1, 2]
    assert lines(tmp_path / "log") == ["2", "2"]
    assert events.last("step_finished", "grow_at_second")["attempts"] == 2


def key_each_time(log: str) -> str:
    if len(note(log, idempotency_key())) == 1:
        raise OSError("not yet")
    return idempotency_key()


def test_every_attempt_sees_the_same_key_and_another_step_another(run: Any, tmp_path: Path) -> None:
    policy = Policy(retries=1, backoff=0)
    values = run(
        Task(key_each_time, ["log"], ["key"], policy=policy),
        Task(key_each_time, ["log"], ["other"], policy=policy, name="again"),
    )
    assert len({*lines(tmp_path / "log")}) == 2
    assert values["key"] == lines(tmp_path / "log")[0]
    assert values["other"] != values["key"]


def raise_it(log: str) -> str:
    note(log, "tried")
    raise ValueError("no")


def stand_in(log: str) -> str:
    return f"instead of {Path(log).name}"


def test_a_fallback_stands_in_after_the_last_attempt_and_is_recorded(run: Any, tmp_path: Path, events: Any) -> None:
    values = run(Task(raise_it, ["log"], ["x"], policy=Policy(retries=2, backoff=0, fallback=stand_in)))
    assert values["x"] == "instead of log"
    assert lines(tmp_path / "log") == ["tried"] * 3
    finished = events.last("step_finished", "raise_it")
    assert (finished["fallback"], finished["error_type"]) == (True, "ValueError")


def test_only_named_errors_are_tried_again(run: Any, tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="no") as failed:
        run(Task(raise_it, ["log"], ["x"], policy=Policy(retries=5, backoff=0, retry_on=OSError)))
    assert isinstance(failed.value.__cause__, ValueError)
    assert lines(tmp_path / "log") == ["tried"]


def slow(log: str) -> str:
    note(log, str(os.getpid()))
    time.sleep(0.6)
    raise OSError("not yet")


def test_a_policy_gives_up_in_time(run: Any) -> None:
    began = time.monotonic()
    with pytest.raises(StepFailed, match=r"give-up time of 1|not yet"):
        run(Task(slow, ["log"], ["x"], policy=Policy(retries=50, backoff=0, give_up=1)))
    assert time.monotonic() - began < 8


def wait_long(log: str) -> str:
    note(log, str(os.getpid()))
    for _ in range(6000):
        time.sleep(0.01)
    note(log, "went-on")
    return "x"


def wait_and_ignore(log: str) -> str:
    """Ignores the first thing that stops it."""
    note(log, str(os.getpid()))
    try:
        for _ in range(6000):
            time.sleep(0.01)
    except BaseException:
        note(log, "ignored")
        for _ in range(6000):
            time.sleep(0.01)
    note(log, "went-on")
    return "x"


@pytest.mark.parametrize("wait", [wait_long, wait_and_ignore])
def test_an_attempt_that_takes_too_long_is_stopped_and_another_one_follows(
    run: Any, tmp_path: Path, wait: Callable[[str], str]
) -> None:
    began = time.monotonic()
    with pytest.raises(StepFailed) as failed:
        run(Task(wait, ["log"], ["x"], policy=Policy(timeout=0.5, retries=1, backoff=0)))
    assert isinstance(failed.value.__cause__, StepTimeout)
    assert time.monotonic() - began < 20
    found = lines(tmp_path / "log")
    assert len([line for line in found if line.isdigit()]) == 2
    assert "went-on" not in found


def block_in_c(log: str) -> str:
    """Nothing raised in its thread reaches it."""
    if len(note(log, str(os.getpid()))) == 1:
        time.sleep(600)
    return "done"


@pytest.fixture
def on_dask(client: Any, services: Services, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    own_run = OwnRun("0" * 32, "", f"sqlite:///{tmp_path}/none.db", tmp_path, lambda kind, **data: None)

    def run(*tasks: Task) -> dict[str, Any]:
        pipeline = Pipeline(name="many", version=1, params=Params, tasks=tasks)
        return run_tasks(pipeline, {"log": str(tmp_path / "log")}, services, dask.DaskEngine(client, own_run, own=True))

    return run


def test_a_worker_that_cannot_be_stopped_is_killed_and_the_next_attempt_runs(on_dask: Any, tmp_path: Path) -> None:
    values = on_dask(Task(block_in_c, ["log"], ["x"], policy=Policy(timeout=2, retries=1, backoff=0)))
    assert values["x"] == "done"
    first = int(lines(tmp_path / "log")[0])
    assert not Path(f"/proc/{first}").exists() or not _alive(first)


def _alive(pid: int) -> bool:
    return "Z" not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2][:3]


def die_at_first(log: str) -> str:
    if len(note(log, "began")) == 1:
        os._exit(0)
    return "done"


def test_a_worker_that_dies_is_a_failed_attempt_and_dask_begins_no_other_by_itself(
    on_dask: Any, tmp_path: Path
) -> None:
    with pytest.raises(StepFailed, match="lost with the worker") as failed:
        on_dask(Task(die_at_first, ["log"], ["x"]))
    assert isinstance(failed.value.__cause__, WorkerLost)
    time.sleep(1)
    assert lines(tmp_path / "log") == ["began"]
    values = on_dask(Task(die_at_first, ["log"], ["x"], policy=Policy(retries=1, backoff=0)))
    assert values["x"] == "done"


def hold_on() -> None:
    """No other thread of its process gets a word in."""
    sum(range(10**11))


def rest() -> int:
    time.sleep(8)
    return os.getpid()


@pytest.mark.soak
def test_a_worker_that_does_not_answer_is_killed_and_no_other(client: Any) -> None:
    at = cluster.Cluster(client, own=False)
    stuck, resting = at.new_attempt(), at.new_attempt()
    futures = [at.submit(hold_on, key=f"step-{stuck}"), at.submit(rest, key=f"step-{resting}")]
    time.sleep(1)
    before = client.run(os.getpid, nanny=False, on_error="ignore", workers=at._at([resting]))
    at.leave([stuck], goes_on=True)
    assert futures[1].result(timeout=20) in before.values()
    with pytest.raises(cluster.lost()):
        futures[0].result(timeout=20)


def draw(log: str) -> list[float]:
    return [random.random(), random.random()]


@step
def inner(x: float) -> float:
    return x * 2


def draw_again(first: list[float]) -> float:
    return inner(random.random()) + first[0]


def test_random_numbers_go_on_from_step_to_step(run: Any) -> None:
    random.seed(4)
    expected = [random.random() for _ in range(4)]
    random.seed(4)
    values = run(Task(draw, ["log"], ["first"]), Task(draw_again, ["first"], ["second"]))
    assert values["first"] == expected[:2]
    assert values["second"] == expected[2] * 2 + expected[0]
    assert random.random() == expected[3]


def leave_quietly(log: str) -> str:
    raise SystemExit(0)


def test_an_exit_in_a_step_is_its_failure(run: Any) -> None:
    with pytest.raises(StepFailed, match="SystemExit"):
        run(Task(leave_quietly, ["log"], ["x"]))


def grow(rows: list[int]) -> int:
    rows.append(1)
    return len(rows)


def test_a_change_that_nobody_would_see_is_refused(on_dask: Any) -> None:
    with pytest.raises(StepFailed, match="changes its input 'rows' in place, which is not among its outputs"):
        on_dask(Task(make, ["log"], ["rows"]), Task(grow, ["rows"], ["size"]))


def two(log: str) -> tuple[list[int], list[int]]:
    rows = [1]
    return rows, rows


def grown(rows: list[int]) -> list[int]:
    rows.append(1)
    return rows


def test_a_change_that_another_name_would_miss_is_refused(on_dask: Any) -> None:
    with pytest.raises(StepFailed, match="changes its input 'left' in place, which is also 'right'"):
        on_dask(Task(two, ["log"], ["left", "right"]), Task(grown, ["left"], ["left"]))


def table(log: str) -> Any:
    return np.arange(6.0).reshape(2, 3)


def first_row(whole: Any) -> Any:
    return whole[0]


def marked(row: Any) -> Any:
    row[0] = 99
    return row


def backwards(row: Any) -> Any:
    return row[::-1]


def with_first(whole: Any) -> tuple[Any, Any]:
    return whole, whole[0]


VIEWS: dict[str, list[Task]] = {
    "of an input": [Task(first_row, ["whole"], ["row"]), Task(marked, ["row"], ["row"])],
    "of another output": [Task(with_first, ["whole"], ["whole", "row"]), Task(marked, ["row"], ["row"])],
    "of a view": [
        Task(first_row, ["whole"], ["row"]), Task(backwards, ["row"], ["again"]),
        Task(marked, {"row": "again"}, ["again"]),
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", VIEWS)
def test_a_change_that_an_array_of_the_same_memory_would_miss_is_refused(on_dask: Any, kind: str) -> None:
    with pytest.raises(StepFailed, match=r"in place, which is also '\w+', or shares with it"):
        on_dask(Task(table, ["log"], ["whole"]), *VIEWS[kind])


def total(whole: Any) -> float:
    return float(whole.sum())


def same(rows: list[int]) -> list[int]:
    return rows


def boxed(rows: list[int]) -> dict[str, list[int]]:
    return {"rows": rows}


def size_of(box: dict[str, list[int]]) -> int:
    return len(box["rows"])


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ([Task(make, ["log"], ["rows"]), Task(grow, ["rows"], ["size"], changes=["rows"]),
          Task(same, ["rows"], ["end"])], [1, 1]),
        ([Task(two, ["log"], ["left", "right"]), Task(grown, {"rows": "left"}, ["left"], changes=["right"]),
          Task(same, {"rows": "right"}, ["end"])], [1, 1]),
        ([Task(make, ["log"], ["rows"]), Task(boxed, ["rows"], ["box"], changes=["rows"]),
          Task(grown, ["rows"], ["rows"], changes=["box"]), Task(size_of, ["box"], ["end"])], 2),
        ([Task(with_first, {"whole": "made"}, ["made", "row"]), Task(marked, ["row"], ["row"], changes=["made"]),
          Task(total, {"whole": "made"}, ["end"])], 114.0),
        ([Task(first_row, {"whole": "made"}, ["row"], changes=["made"]),
          Task(marked, ["row"], ["row"], changes=["made"]), Task(total, {"whole": "made"}, ["end"])], 114.0),
    ],
    ids=["a list", "two names of a list", "a list in a dict", "a view", "a view of an input"],
)  # fmt: skip
def test_what_a_step_says_that_it_changes_is_changed_for_the_steps_after_it(
    run: Any, tasks: list[Task], expected: object
) -> None:
    assert run(Task(table, ["log"], ["made"]), *tasks)["end"] == expected


def test_a_name_that_is_given_anew_shares_no_more(on_dask: Any) -> None:
    values = on_dask(
        Task(table, ["log"], ["whole"]), Task(first_row, ["whole"], ["row"]),
        Task(table, ["log"], ["whole"], name="anew"), Task(marked, ["row"], ["row"]),
    )  # fmt: skip
    assert (values["row"][0], values["whole"][0, 0]) == (99, 0)


def generator(log: str) -> Any:
    return (n for n in range(3))


def test_a_value_that_cannot_be_sent_back_names_its_step(on_dask: Any) -> None:
    with pytest.raises(StepFailed, match="cannot send back"):
        on_dask(Task(generator, ["log"], ["x"]))


def told(log: str) -> float:
    import mlflow

    mlflow.log_metric("seen", 4.0)
    return inner(1.5)


async def waited(told: float) -> float:
    return told + 1


def test_a_run_on_dask_is_recorded_like_any_other(settings: Settings) -> None:
    """The command's way: a cluster of its own, which is gone afterwards. Metrics and inner steps of workers count."""
    pipeline = Pipeline(name="spread", version=1, params=Params, tasks=[
        Task(told, ["log"], ["told"]), Task(waited, ["told"], ["more"]),
    ])  # fmt: skip
    outcome = run_pipeline(pipeline, ParameterSet.of(Params).parse(), settings, engine="dask")
    assert (outcome.status, outcome.outputs) == (RunStatus.FINISHED, {"more": 4.0})
    assert {step.name: step.parent for step in outcome.steps} == {"told": "", "inner": "told", "waited": ""}
    assert find_run(settings.runs, outcome.key).step("told").outputs["told"].digest  # type: ignore[union-attr]
    run = ended(settings, outcome.run_id)
    assert run.data.metrics["seen"] == 4.0
    assert not settings.cache.exists(), "nobody here sees what a step on a worker depends on"


def test_a_scheduler_is_used_by_its_address_when_its_workers_have_the_same_versions(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed = pytest.importorskip("distributed", reason="it is an extra")
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0", "host": "127.0.0.1"}
    with distributed.LocalCluster(**options) as theirs:
        own_run = OwnRun("0" * 32, "", f"sqlite:///{tmp_path}/none.db", tmp_path, lambda kind, **data: None)
        with dask.cluster(theirs.scheduler_address) as client:
            pipeline = Pipeline(name="many", version=1, params=Params, tasks=[Task(make, ["log"], ["rows"])])
            engine = dask.DaskEngine(client, own_run, own=False)
            assert run_tasks(pipeline, {"log": ""}, services, engine)["rows"] == [1]
        monkeypatch.setattr(cluster, "within", lambda *_: {"tcp://elsewhere": {**worker.versions(), "python": "2.7"}})
        with pytest.raises(InputRefused, match=r"tcp://elsewhere has python 2.7 \(here 3"):
            dask.cluster(theirs.scheduler_address).__enter__()


def test_workers_that_lack_a_module_or_have_another_version_are_refused_before_any_work(settings: Settings) -> None:
    """The worker is a process of its own that cannot find NumPy, which this module imports."""
    pytest.importorskip("distributed", reason="it is an extra")
    hide = "import importlib.util as u; find = u.find_spec; u.find_spec = lambda n: None if n == 'numpy' else find(n)"
    with served(settings, hide) as address:
        pipeline = Pipeline(name="spread", version=1, params=Params, tasks=[Task(make, ["log"], ["rows"])])
        began = time.monotonic()
        with pytest.raises(InputRefused, match=r"The Dask worker at tcp://.* lacks module numpy\."):
            run_pipeline(pipeline, ParameterSet.of(Params).parse(), settings, engine=address)
        assert time.monotonic() - began < 30
    assert not settings.runs.exists() or not list(settings.runs.iterdir())


def wait_with(rows: int, log: str) -> str:
    return wait_long(log)


@pytest.mark.soak
@pytest.mark.parametrize("over", ["", "rows"])
def test_a_scheduler_that_dies_ends_in_an_error(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, over: str
) -> None:
    pytest.importorskip("distributed", reason="it is an extra")
    monkeypatch.setattr(cluster, "_GONE", 3.0)
    log = tmp_path / "log"
    pipeline = Pipeline(name="spread", version=1, params=Params, tasks=[
        Task(make, ["log"], ["rows"]), Task(wait_with, ["rows", "log"], ["x"], over=over),
    ])  # fmt: skip
    found: list[Any] = []
    with served(settings, "") as address:
        values = ParameterSet.of(Params).parse({"log": str(log)})
        thread = threading.Thread(
            target=lambda: found.append(run_pipeline(pipeline, values, settings, engine=address)), daemon=True
        )
        thread.start()
        limit = time.monotonic() + 60
        while not log.exists():
            assert time.monotonic() < limit
            time.sleep(0.05)
    thread.join(27)  # with the 17 s that are not waited here
    [outcome] = found
    assert (outcome.status, outcome.failed_step) == (RunStatus.FAILED, "wait_with")
    assert "WorkerLost" in outcome.error


SERVER = """
import sys, time
{first}
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, protocol="tcp://", dashboard_address=None,
                      host="127.0.0.1") as cluster:
        print(cluster.scheduler_address, flush=True)
        time.sleep(600)
"""


@contextmanager
def served(settings: Settings, first: str) -> Iterator[str]:
    """A scheduler with a worker in a process of their own, which is killed at the end; `first` is run in it first."""
    script = settings.root / "server.py"
    script.write_text(SERVER.format(first=first), encoding="utf-8")
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def test_nothing_is_left_of_an_engine_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would close itself at any time: in the middle of the next one's start, they wait for each other."""
    monkeypatch.setattr(cluster, "_ANSWER", 1.0)
    gc.collect()  # what earlier tests have left
    gc.disable()
    try:
        before = _clients()
        with pytest.raises(InputRefused), cluster.cluster("tcp://127.0.0.1:9", []):
            pass
        assert _clients() <= before
    finally:
        gc.enable()


def _clients() -> int:
    from distributed import Client

    return sum(type(one) is Client for one in gc.get_objects())


def test_an_engine_that_is_not_there_is_refused_and_no_run_begins(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_ANSWER", 1.0)
    pipeline = Pipeline(name="spread", version=1, params=Params, tasks=[Task(make, ["log"], ["rows"])])
    for engine in ("tcp://127.0.0.1:9", "nonsense", "gopher://x:1"):
        with pytest.raises(InputRefused, match="no Dask scheduler"):
            run_pipeline(pipeline, ParameterSet.of(Params).parse(), settings, engine=engine)
    assert not settings.runs.exists() or not list(settings.runs.iterdir())
