"""How far a step is reaches whoever watches the run, wherever the step runs. Real processes, a real cluster."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from p2p import Pipeline, Policy, Task, step
from p2p.model import RunStatus
from p2p.params import ParameterSet
from p2p.runners import run_pipeline
from p2p.runners.moving import Hearing, Sending, heard
from p2p.settings import Settings
from p2p.tracking.moment import NAME

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
WHERE = [
    pytest.param({}, id="here"),
    pytest.param({"jobs": 2}, id="processes"),
    pytest.param({"engine": "dask"}, id="dask"),
]


class Params(BaseModel):
    token: SecretStr = SecretStr("hunter2-hunter2")
    parts: list[int] = [*range(16)]


def train(token: Any) -> int:
    from tqdm import tqdm

    for _ in tqdm(range(12), desc=f"epochs as {token.get_secret_value()}", file=io.StringIO(), mininterval=0):
        time.sleep(0.1)
    return 12


@step
def inner() -> int:
    from tqdm import tqdm

    return sum(1 for _ in tqdm(range(12), desc="rows", file=io.StringIO()) if not time.sleep(0.1))  # type: ignore[func-returns-value]  # it waits


def around(token: Any) -> int:
    return inner()


def slowly(part: int) -> int:
    from tqdm import tqdm

    for _ in tqdm(range(2), desc="within", file=io.StringIO(), mininterval=0):
        time.sleep(0.1)
    return part


def silent(token: Any) -> int:
    return 1


def watched(settings: Settings, *tasks: Task, **options: Any) -> list[dict[str, Any]]:
    """What a watcher was told of a run of these tasks, in order."""
    told: list[dict[str, Any]] = []

    def watch(event: Mapping[str, Any]) -> None:
        told.append(dict(event))

    pipeline = Pipeline(name="far", version=1, params=Params, tasks=tasks)
    outcome = run_pipeline(pipeline, ParameterSet.of(Params).parse({}), settings, watch=watch, **options)
    assert outcome.status is RunStatus.FINISHED, outcome.error
    assert not (settings.runs / outcome.key / NAME).exists()
    return told


@pytest.mark.parametrize("options", WHERE)
def test_whoever_watches_is_told_while_the_step_runs(settings: Settings, options: dict[str, Any]) -> None:
    tasks = [Task(train, ["token"], ["made"]), Task(around, ["token"], ["more"]), Task(silent, ["token"], ["one"]),
             Task(slowly, ["parts"], ["parted"], over="parts")]  # fmt: skip
    told = watched(settings, *tasks, **options)
    for name in ("train", "inner", "slowly"):
        _is_told_as_it_goes(told, name)
    moves = [event for event in told if event["kind"] == "step_progress"]
    said = {(one["step"], one["parent"], one["description"], one["total"]) for one in moves}
    assert said == {  # a mapped step counts its items, in one line, and a secret is masked
        ("train", "", "epochs as **********", 12), ("inner", "around", "rows", 12), ("slowly", "", "items", 16),
    }  # fmt: skip


def _is_told_as_it_goes(told: list[dict[str, Any]], name: str) -> None:
    ours = [event for event in told if event.get("step") == name]
    kinds = [event["kind"] for event in ours]
    moves = [event for event in ours if event["kind"] == "step_progress"]
    assert len(moves) >= 2
    assert [one["n"] for one in moves] == sorted({one["n"] for one in moves})
    assert "step_progress" not in kinds[kinds.index("step_finished") :]
    assert len({one["id"] for one in moves}) == 1
    if not moves[0]["parent"]:
        assert moves[0]["id"] == next(event["id"] for event in ours if event["kind"] == "step_started")


def stuck(token: Any) -> int:
    from tqdm import tqdm

    for _ in tqdm(range(600), desc="stuck", file=io.StringIO(), mininterval=0):
        try:
            time.sleep(0.1)
        finally:
            time.sleep(0.05)
    return 1


def test_a_process_that_was_stopped_while_it_told_goes_on_with_the_next_step(settings: Settings) -> None:
    policy = Policy(timeout=1.2, fallback=2)
    told = watched(settings, Task(stuck, ["token"], ["first"], policy=policy),
                   Task(train, ["token"], ["second"]), jobs=2)  # fmt: skip
    assert {one["step"] for one in told if one["kind"] == "step_progress"} == {"stuck", "train"}
    assert {one["step"] for one in told if one.get("state") == "done"} == {"stuck", "train"}


class Sink:
    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []

    def moved(self, execution: str, **data: Any) -> None:
        self.told.append((execution, data.get("n")))

    def gone(self, execution: str) -> None:
        self.told.append((execution, "gone"))


def test_what_an_attempt_says_is_heard_while_it_is_waited_for() -> None:
    hearing, sink = Hearing(), Sink()
    sending = Sending(hearing.take, "first")
    sending.moved("a", n=1)
    with hearing.of("first", sink):
        sending.moved("a", n=2)
        sending.moved("b", n=1)
        Sending(hearing.take, "another").moved("a", n=9)
        sending.gone("b")
        sending.gone("never told")
    sending.moved("a", n=3)
    assert sink.told == [("a", 2), ("b", 1), ("b", "gone"), ("a", "gone")]


def test_a_thread_that_an_attempt_leaves_behind_says_nothing_more() -> None:
    sent: list[dict[str, Any]] = []
    ended, done = threading.Event(), threading.Event()

    def loop() -> None:
        from tqdm import tqdm

        bar = tqdm(total=2, file=io.StringIO(), mininterval=0)
        bar.update()
        ended.wait(10)
        bar.close()
        done.set()

    with heard(sent.append, "first", "step", "a"):
        threading.Thread(target=loop, daemon=True).start()
        for _ in range(100):
            if sent:
                break
            time.sleep(0.05)
    before = len(sent)
    assert before
    ended.set()
    assert done.wait(10)
    assert len(sent) == before


def test_where_nobody_wants_to_know_nothing_is_followed() -> None:
    from p2p.execution import bars

    with heard(None, "first", "step", "a") as sink:
        assert sink is None
        assert not bars._METERS
