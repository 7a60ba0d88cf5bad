from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from p2p.errors import ContractBroken, StepTimeout
from p2p.execution import Services, Work, arun_step, current_step, run_step
from p2p.model import ValueRef
from p2p.policy import Policy
from p2p.store import MemoryStore


class Flaky:
    """A body that fails as often as it is told."""

    def __init__(self, failures: int, error: type[BaseException] = ValueError) -> None:
        self.failures = failures
        self.error = error
        self.calls = 0

    def __call__(self) -> dict[str, Any]:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error(f"attempt {self.calls}")
        return {"answer": self.calls}

    async def later(self) -> dict[str, Any]:
        await asyncio.sleep(0)
        return self()


def work(body: Callable[[], Any], **options: Any) -> Work:
    return Work(**{"name": "load", "body": body, **options})


def run(made: Work, services: Services) -> Any:
    return asyncio.run(arun_step(made, services)) if made.coroutine else run_step(made, services)


def flaky(failures: int, *, coroutine: bool, **options: Any) -> tuple[Flaky, Work]:
    body = Flaky(failures, options.pop("error", ValueError))
    return body, work(body.later if coroutine else body, coroutine=coroutine, **options)


both = pytest.mark.parametrize("coroutine", [False, True], ids=["plain", "coroutine"])


@both
def test_a_step_that_succeeds_runs_once_and_gives_its_outputs(services: Services, coroutine: bool) -> None:
    body, made = flaky(0, coroutine=coroutine, policy=Policy(retries=3))
    outcome = run(made, services)
    assert (outcome.outputs, outcome.attempts, body.calls) == ({"answer": 1}, 1, 1)


@both
def test_a_failing_step_is_tried_again_after_waits_that_double(
    services: Services, events: Any, waits: list[float], coroutine: bool
) -> None:
    _, made = flaky(3, coroutine=coroutine, policy=Policy(retries=3, backoff=0.5))
    outcome = run(made, services)
    assert (outcome.outputs, outcome.attempts) == ({"answer": 4}, 4)
    assert waits == [0.5, 1.0, 2.0]
    assert [(e["attempt"], e["delay"]) for e in events.of("step_retried")] == [(1, 0.5), (2, 1.0), (3, 2.0)]


@both
def test_the_last_attempts_error_is_raised_and_told(services: Services, events: Any, coroutine: bool) -> None:
    _, made = flaky(9, coroutine=coroutine, policy=Policy(retries=2))
    with pytest.raises(ValueError, match="attempt 3"):
        run(made, services)
    end = events.last("step_finished")
    assert (end["state"], end["attempts"], end["outputs"]) == ("failed", 3, {})
    assert (end["error_type"], end["error"]) == ("ValueError", "attempt 3")
    assert "in __call__" in end["traceback"]


@both
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_or_exit_is_never_retried_and_still_told(
    services: Services, events: Any, error: type[BaseException], coroutine: bool
) -> None:
    body, made = flaky(9, coroutine=coroutine, error=error, policy=Policy(retries=5))
    with pytest.raises(error):
        run(made, services)
    assert body.calls == 1
    assert events.last("step_finished")["error_type"] == error.__name__


def test_events_come_in_order_with_the_fields_that_readers_need(services: Services, events: Any) -> None:
    _, made = flaky(1, coroutine=False, policy=Policy(retries=1), inputs={"n": 3}, attributes={"cell": 7})
    run_step(made, services)
    assert events.kinds() == ["step_started", "step_retried", "step_finished"]
    started, retried, finished = events.all
    assert {e["step"] for e in events.all} == {"load"}
    assert len({e["id"] for e in events.all}) == 1
    assert started["inputs"]["n"]["type"] == "builtins.int"
    assert (started["parent"], started["parent_id"], started["attributes"]) == ("", "", {"cell": 7})
    assert (retried["error_type"], retried["error"]) == ("ValueError", "attempt 1")
    assert (finished["state"], finished["attempts"]) == ("done", 2)
    assert finished["outputs"]["answer"]["digest"]


def test_seconds_are_those_of_the_runs_clock(services: Services, events: Any) -> None:
    ticks = iter([100.0, 107.5])
    run_step(work(dict), dataclasses.replace(services, clock=lambda: next(ticks)))
    assert events.last("step_finished")["seconds"] == 7.5


def test_what_a_failed_attempt_changed_is_put_back_before_the_next_and_not_after_the_last(services: Services) -> None:
    state: list[str] = []

    def body() -> dict[str, Any]:
        state.append("changed")
        if len(resets) < 2:
            raise ValueError(len(state))
        return {"seen": list(state)}

    resets: list[int] = []

    def reset(_values: Any) -> None:
        resets.append(len(state))
        state.clear()

    outcome = run_step(work(body, reset=reset, policy=Policy(retries=2)), services)
    assert outcome.outputs == {"seen": ["changed"]}
    with pytest.raises(ValueError, match="1"):
        run_step(work(Flaky(9), reset=reset, policy=Policy(retries=0)), services)
    assert resets == [1, 1]


def test_outputs_are_stored_and_references_lead_back_to_them(services: Services) -> None:
    outcome = run_step(work(lambda: {"rows": [1, 2, 3], "name": "x"}), services)
    assert services.values is not None
    assert {n: services.values.get(ref) for n, ref in outcome.refs.items()} == {"rows": [1, 2, 3], "name": "x"}


def test_without_a_store_outputs_are_only_described(events: Any) -> None:
    outcome = run_step(work(lambda: {"rows": [1, 2]}), Services(events=events))
    assert outcome.refs["rows"].digest is None
    assert outcome.refs["rows"].type == "builtins.list"


def test_an_input_known_from_an_earlier_step_is_told_by_its_stored_reference(services: Services, events: Any) -> None:
    known = ValueRef(type="builtins.list", codec="json", digest="d" * 64)
    run_step(work(dict, inputs={"rows": [1], "n": 2}, known={"rows": known}), services)
    inputs = events.last("step_started")["inputs"]
    assert inputs["rows"]["digest"] == "d" * 64
    assert inputs["n"]["digest"] != "d" * 64


def test_a_nested_step_tells_who_called_it(services: Services, events: Any) -> None:
    def inner() -> dict[str, Any]:
        assert current_step() == "inner"
        return {"x": 1}

    def outer() -> dict[str, Any]:
        run_step(work(inner, name="inner"), services)
        assert current_step() == "outer"
        return {}

    run_step(work(outer, name="outer"), services)
    assert current_step() == ""
    outer_id = events.last("step_started", "outer")["id"]
    assert events.last("step_started", "inner")["parent_id"] == outer_id
    assert [(e["step"], e["parent"]) for e in events.of("step_finished")] == [("inner", "outer"), ("outer", "")]


def test_a_step_called_after_a_failed_one_is_not_its_child(services: Services, events: Any) -> None:
    with pytest.raises(ValueError, match="attempt"):
        run_step(work(Flaky(1)), services)
    run_step(work(dict, name="next"), services)
    assert events.last("step_started", "next")["parent"] == ""


def test_coroutine_steps_that_run_side_by_side_keep_their_own_children(services: Services, events: Any) -> None:
    async def body(name: str) -> dict[str, Any]:
        await asyncio.sleep(0)
        await arun_step(work(lambda: {}, name=f"in_{name}"), services)
        return {}

    async def all_of_them() -> None:
        made = [work(lambda n=n: body(n), name=n, coroutine=True) for n in "ab"]
        await asyncio.gather(*(arun_step(w, services) for w in made))

    asyncio.run(all_of_them())
    assert {e["step"]: e["parent"] for e in events.of("step_finished") if e["parent"]} == {"in_a": "a", "in_b": "b"}


def test_an_input_that_breaks_its_contract_stops_the_step_before_its_body(services: Services, events: Any) -> None:
    body = Flaky(0)
    made = work(body, inputs={"n": "three"}, contracts={"n": int}, policy=Policy(retries=3))
    with pytest.raises(ContractBroken, match=r"'load' takes 'n', which breaks its contract: expected int, got str"):
        run_step(made, services)
    assert body.calls == 0
    assert (events.last("step_finished")["state"], events.last("step_finished")["attempts"]) == ("failed", 0)


def test_an_output_that_breaks_its_contract_fails_the_step_and_names_step_value_and_rule(
    services: Services, events: Any
) -> None:
    pandas = pytest.importorskip("pandas")
    pandera = pytest.importorskip("pandera.pandas")
    schema = pandera.DataFrameSchema({"age": pandera.Column(int, pandera.Check.ge(0))})
    made = work(lambda: {"people": pandas.DataFrame({"age": [1, -5]})}, contracts={"people": schema})
    with pytest.raises(ContractBroken) as caught:
        run_step(made, services)
    problem = "column 'age' breaks greater_than_or_equal_to(0): 1 of 2 rows, e.g. row 1: -5"
    assert caught.value.fields == {"step": "load", "border": "output", "values": {"people": [problem]}}
    assert f"Step 'load' gives 'people', which breaks its contract: {problem}." in str(caught.value)
    assert events.last("step_finished")["state"] == "failed"
    assert isinstance(services.values, MemoryStore)
    assert services.values.files == {}


def test_a_frame_made_without_a_frame_is_told_as_a_dataset_and_a_derived_one_is_not(
    services: Services, events: Any
) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"age": [1, 2]})
    run_step(work(lambda: {"people": frame}, inputs={"path": "people.csv"}), services)
    run_step(work(lambda: {"old": frame.tail(1)}, name="filter", inputs={"people": frame}), services)
    [told] = events.of("dataset")
    assert (told["step"], told["name"], told["rows"]) == ("load", "people", 2)
    assert told["columns"] == [["age", "int64"]]
    assert told["digest"] == events.last("step_finished", "load")["outputs"]["people"]["digest"]


def test_a_coroutine_that_takes_too_long_is_stopped_and_says_so(services: Services, events: Any) -> None:
    async def forever() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    made = work(forever, coroutine=True, policy=Policy(timeout=0.02, retries=1))
    with pytest.raises(StepTimeout, match=r"Step 'load' was stopped: it took longer than its timeout of 0\.02 s"):
        asyncio.run(arun_step(made, services))
    assert events.last("step_finished")["attempts"] == 2


def test_a_timeout_error_of_the_coroutines_own_stays_what_it_is(services: Services) -> None:
    async def body() -> dict[str, Any]:
        raise TimeoutError("the server's")

    with pytest.raises(TimeoutError, match="the server's"):
        asyncio.run(arun_step(work(body, coroutine=True, policy=Policy(timeout=60)), services))
