"""A mapped task gives the same, and is tried, recorded and ended the same, here and side by side on Dask's workers."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel

from p2p import Pipeline, Policy, Task, idempotency_key, step
from p2p.errors import InputRefused, ItemFailed, StepTimeout, WorkerLost
from p2p.execution import Services
from p2p.runners import dask
from p2p.runners.local import Engine, Here, Isolated, StepFailed, run_tasks
from p2p.tracking.ownrun import OwnRun

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


class Params(BaseModel):
    log: str = ""
    parts: list[Any] = []


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with dask.cluster("dask") as client:
        yield client


def own_run(tmp_path: Path) -> OwnRun:
    return OwnRun("0" * 32, "", f"sqlite:///{tmp_path}/none.db", tmp_path, lambda kind, **data: None)


@pytest.fixture(params=["local", "isolated", "dask"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """Each property is one of all."""
    if request.param != "dask":
        return Here() if request.param == "local" else Isolated()
    return dask.DaskEngine(request.getfixturevalue("client"), own_run(tmp_path), own=True)


@pytest.fixture
def run(engine: Engine, services: Services, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Maps a function over `parts`, and runs what follows."""
    return _running(engine, services, tmp_path)


@pytest.fixture
def on_dask(client: Any, services: Services, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    return _running(dask.DaskEngine(client, own_run(tmp_path), own=True), services, tmp_path)


def _running(engine: Engine, services: Services, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    def run(function: Any, parts: Any, *more: Task, policy: Policy | None = None) -> dict[str, Any]:
        task = Task(function, ["parts", "log"], ["out"], over="parts", policy=policy or Policy())
        pipeline = Pipeline(name="many", version=1, params=Params, tasks=[task, *more])
        return run_tasks(pipeline, {"log": str(tmp_path / "log"), "parts": parts}, services, engine)

    return run


def note(log: str, text: object) -> list[str]:
    """Write a line; gives all that are there."""
    with Path(log).open("a", encoding="utf-8") as file:
        file.write(f"{text}\n")
    return Path(log).read_text(encoding="utf-8").split()


def doubled(x: int, log: str) -> int:
    return 2 * x


def test_the_results_are_in_order_and_the_whole_is_one_step(run: Any, events: Any) -> None:
    assert run(doubled, range(700))["out"] == [2 * x for x in range(700)]
    assert run(doubled, [])["out"] == []
    assert events.kinds() == ["step_started", "step_finished"] * 2
    assert events.of("step_finished")[0]["items"] == 700


def fail_at_first(x: int, log: str) -> int:
    if x % 5 == 3 and note(log, x).count(str(x)) == 1:
        raise OSError(f"not yet {x}")
    return x


def test_an_item_is_tried_again_alone(run: Any, events: Any) -> None:
    policy = Policy(retries=1, backoff=0)
    assert run(fail_at_first, range(20), policy=policy)["out"] == [*range(20)]
    assert sorted(e["item"] for e in events.of("step_retried")) == [3, 8, 13, 18]
    assert events.last("step_finished")["item_retries"] == 4


def fail(x: int, log: str) -> int:
    if x == 7:
        note(log, "tried")
        raise ValueError("no seven")
    return x


def test_an_item_that_fails_to_the_last_fails_the_whole_and_is_named(run: Any, tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match=r"failed at item 7 of its 10 .* ValueError: no seven") as failed:
        run(fail, range(10), policy=Policy(retries=2, backoff=0))
    assert isinstance(failed.value.__cause__, ItemFailed)
    assert (tmp_path / "log").read_text(encoding="utf-8").split() == ["tried"] * 3


def instead(x: int) -> int:
    return -x


def test_a_fallback_stands_in_for_an_item(run: Any, events: Any) -> None:
    assert run(fail, range(6, 9), policy=Policy(retries=1, backoff=0, fallback=instead))["out"] == [6, -7, 8]
    assert events.last("step_finished")["item_fallbacks"] == 1


def wait(x: float, log: str) -> float:
    for _ in range(round(x * 100)):
        time.sleep(0.01)
    return x


def test_the_time_of_an_item_is_its_own(run: Any) -> None:
    assert run(wait, [0.2] * 6, policy=Policy(timeout=1.5))["out"] == [0.2] * 6
    with pytest.raises(StepFailed, match=r"item 1 of its 3 .*longer than its timeout of 0.3 s"):
        run(wait, [0, 20, 0], policy=Policy(timeout=0.3))


def draw(x: int, log: str) -> tuple[float, float]:
    return random.random(), float(np.random.random())


def then(out: Any) -> tuple[float, float]:
    return random.random(), float(np.random.random())


def test_random_numbers_are_the_same_on_every_engine(run: Any) -> None:
    random.seed(1)
    np.random.seed(1)
    values = run(draw, range(30), Task(then, ["out"], ["after"]))
    random.seed(1)
    np.random.seed(1)
    expected = step(draw).map(range(30), log="")
    assert values["out"] == expected
    assert values["after"] == then([])


def key(x: int, log: str) -> str:
    return idempotency_key()


def test_each_item_has_a_key_of_its_own(run: Any) -> None:
    assert len({*run(key, range(20))["out"]}) == 20


@step
def inner(x: int) -> int:
    return x + 1


def outer(x: int, log: str) -> int:
    return inner(x)


def mapping(out: list[int]) -> list[int]:
    return inner.map(out)


def test_steps_and_maps_inside_steps_are_recorded_under_them(run: Any, events: Any) -> None:
    values = run(outer, range(3), Task(mapping, ["out"], ["last"]))
    assert values["last"] == [2, 3, 4]
    parents = [(e["step"], e["parent"]) for e in events.of("step_finished")]
    assert parents == [("inner", "outer")] * 3 + [("outer", ""), ("inner", "mapping"), ("mapping", "")]


def grow(x: list[int], log: str) -> int:
    x.append(1)
    return len(x)


def test_a_change_of_an_item_that_nobody_would_see_is_refused(on_dask: Any) -> None:
    with pytest.raises(StepFailed, match="changes its input 'parts' in place"):
        on_dask(grow, [[1], [2]])


def die_at_seven(x: int, log: str) -> int:
    if x == 7 and note(log, "died").count("died") < 3:
        os._exit(1)
    return x


def test_an_item_whose_worker_dies_is_a_failed_attempt_of_its_own(on_dask: Any, tmp_path: Path, events: Any) -> None:
    """Its chunk may have been lost with it, which is nobody's attempt: of the rest, each is done again."""
    policy = Policy(retries=2, backoff=0)
    assert on_dask(die_at_seven, range(300), policy=policy)["out"] == [*range(300)]
    assert {e["item"] for e in events.of("step_retried")} == {7}


def always_die(x: int, log: str) -> int:
    if x == 7:
        os._exit(1)
    return x


def test_a_poison_item_ends_in_an_error_that_names_it(on_dask: Any) -> None:
    began = time.monotonic()
    with pytest.raises(StepFailed, match=r"item 7 of its 40") as failed:
        on_dask(always_die, range(40))
    assert isinstance(failed.value.__cause__.__cause__, WorkerLost)  # type: ignore[union-attr]
    assert time.monotonic() - began < 30


def block_in_c(x: int, log: str) -> int:
    if x == 7:
        time.sleep(600)
    return x


def test_an_item_that_cannot_be_stopped_is_ended_with_its_worker(on_dask: Any) -> None:
    began = time.monotonic()
    with pytest.raises(StepFailed, match=r"item 7 of its 12 .*longer than its timeout") as failed:
        on_dask(block_in_c, range(12), policy=Policy(timeout=1))
    assert isinstance(failed.value.__cause__.__cause__, StepTimeout)  # type: ignore[union-attr]
    assert time.monotonic() - began < 30


def unsendable(x: int, log: str) -> Any:
    return (n for n in range(x)) if x == 3 else x


def test_a_result_that_cannot_be_sent_back_names_its_item(on_dask: Any) -> None:
    with pytest.raises(StepFailed, match=r"item 3 of its 5 .*cannot send back"):
        on_dask(unsendable, range(5))


def test_maps_within_maps_need_no_second_thread(services: Services, tmp_path: Path) -> None:
    """One worker of one thread: whatever waited for another task would wait for ever."""
    distributed = pytest.importorskip("distributed", reason="it is an extra")
    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0", "host": "127.0.0.1"}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        run = _running(dask.DaskEngine(client, own_run(tmp_path), own=True), services, tmp_path)
        done: list[Any] = []
        thread = threading.Thread(target=lambda: done.append(run(outer, range(20), Task(mapping, ["out"], ["last"]))))
        thread.start()
        thread.join(60)
        assert done[0]["last"] == [*range(2, 22)]


def test_what_a_task_is_mapped_over_must_be_an_input_of_it() -> None:
    with pytest.raises(InputRefused, match=r"mapped over 'part', which it does not take. Closest name: 'parts'"):
        Pipeline(name="p", version=1, params=Params, tasks=[Task(doubled, ["parts", "log"], ["out"], over="part")])


async def later(x: int) -> int:
    return x


def test_a_coroutine_function_cannot_be_mapped() -> None:
    with pytest.raises(InputRefused, match="coroutine function, which cannot be mapped"):
        Pipeline(name="p", version=1, params=Params, tasks=[Task(later, ["parts"], ["out"], over="parts")])
