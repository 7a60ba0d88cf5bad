"""What follows a failed attempt: a wait and another one, giving up, or the fallback."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable
from typing import Any

import pytest

from p2p.errors import ContractBroken, StepTimeout
from p2p.execution import Services, Work, arun_step, run_step
from p2p.policy import Policy


def failing(error: BaseException, told: list[int] | None = None) -> Callable[[], dict[str, Any]]:
    def body() -> dict[str, Any]:
        if told is not None:
            told.append(1)
        raise error

    return body


def work(body: Callable[[], Any], policy: Policy, **options: Any) -> Work:
    return Work(**{"name": "load", "body": body, "policy": policy, **options})


def test_waits_are_shortened_by_the_run_s_own_random_numbers(services: Services, waits: list[float]) -> None:
    numbers = iter([0.0, 0.5, 1.0])
    services = dataclasses.replace(services, random=lambda: next(numbers))
    with pytest.raises(OSError, match="no"):
        run_step(work(failing(OSError("no")), Policy(retries=3, backoff=4, jitter=0.5)), services)
    assert waits == [4, 6, 8]


def test_a_failure_that_is_not_named_is_raised_at_once_without_the_fallback(services: Services, events: Any) -> None:
    told: list[int] = []
    policy = Policy(retries=3, retry_on=OSError, fallback=0)
    with pytest.raises(KeyError):
        run_step(work(failing(KeyError("x"), told), policy, fallback=dict), services)
    assert told == [1]
    assert "fallback" not in events.last("step_finished")


@pytest.mark.parametrize("coroutine", [False, True], ids=["plain", "coroutine"])
def test_the_fallback_gives_the_outputs_and_is_told_with_the_last_error(
    services: Services, events: Any, coroutine: bool
) -> None:
    async def later() -> dict[str, Any]:
        return {"n": 7}

    body = failing(OSError("no route"))
    made = work(body, Policy(retries=1, fallback=7), fallback=later if coroutine else lambda: {"n": 7},
                coroutine=coroutine)  # fmt: skip
    outcome = asyncio.run(arun_step(made, services)) if coroutine else run_step(made, services)
    assert (outcome.outputs, outcome.attempts, type(outcome.replaced)) == ({"n": 7}, 2, OSError)
    end = events.last("step_finished")
    assert (end["state"], end["fallback"], end["error_type"], end["error"]) == ("done", True, "OSError", "no route")
    assert end["outputs"]["n"]["digest"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1)])
def test_an_interrupt_or_exit_has_no_fallback(services: Services, events: Any, error: BaseException) -> None:
    with pytest.raises(type(error)):
        run_step(work(failing(error), Policy(retries=1, fallback=7), fallback=lambda: {"n": 7}), services)
    assert events.last("step_finished")["state"] == "failed"


def test_a_fallback_that_fails_or_breaks_the_contract_fails_the_step(services: Services, events: Any) -> None:
    policy = Policy(fallback=7)
    with pytest.raises(ZeroDivisionError) as caught:
        run_step(work(failing(OSError("no")), policy, fallback=failing(ZeroDivisionError())), services)
    assert isinstance(caught.value.__cause__, OSError)
    with pytest.raises(ContractBroken):
        run_step(work(failing(OSError("no")), policy, fallback=lambda: {"n": "x"}, contracts={"n": int}), services)
    assert {e["state"] for e in events.of("step_finished")} == {"failed"}


def test_an_output_that_breaks_its_contract_is_a_failed_attempt(services: Services) -> None:
    given = iter(["x", 3])
    made = work(lambda: {"n": next(given)}, Policy(retries=1), contracts={"n": int})
    assert run_step(made, services).attempts == 2


def test_nothing_is_begun_that_would_end_after_the_time_to_give_up(services: Services, waits: list[float]) -> None:
    now = [0.0]

    def block(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    services = dataclasses.replace(services, monotonic=lambda: now[0], block=block)
    with pytest.raises(OSError, match="no"):
        run_step(work(failing(OSError("no")), Policy(retries=9, backoff=1, give_up=10)), services)
    assert waits == [1, 2, 4]


def test_the_attempt_that_runs_when_the_time_to_give_up_comes_is_stopped(services: Services, events: Any) -> None:
    def body() -> dict[str, Any]:
        time.sleep(10)
        return {}

    with pytest.raises(StepTimeout, match=r"longer than its give-up time of 0\.1 s"):
        run_step(work(body, Policy(retries=5, backoff=0, timeout=5, give_up=0.1)), services)
    started = events.last("attempt_started")
    assert (started["timeout"], started["attempt"]) == (5, 1)
    assert 0 < started["give_up"] <= 0.1


def test_attempts_with_a_limit_are_told_from_beginning_to_end(services: Services, events: Any) -> None:
    run_step(work(dict, Policy(timeout=5)), services)
    assert events.kinds() == ["step_started", "attempt_started", "attempt_finished", "step_finished"]
    assert "give_up" not in events.last("attempt_started")
    with pytest.raises(OSError, match="no"):
        run_step(work(failing(OSError("no")), Policy(timeout=5)), services)
    assert events.kinds()[-2:] == ["attempt_finished", "step_finished"]


def test_a_retry_finds_the_values_as_they_were_and_names_those_it_cannot_put_back(
    services: Services, events: Any
) -> None:
    rows = [1]
    found: list[list[int]] = []

    def body() -> dict[str, Any]:
        found.append(list(rows))
        rows.append(2)
        if len(found) < 3:
            raise OSError
        return {}

    inputs = {"rows": rows, "lines": (n for n in rows)}
    run_step(work(body, Policy(retries=2, backoff=0), inputs=inputs), services)
    assert found == [[1]] * 3
    assert rows == [1, 2]
    retried = events.last("step_retried")
    assert (retried["reset"], retried["not_reset"]) == ("partial", ["lines"])


def test_a_step_that_is_tried_once_copies_nothing(services: Services) -> None:
    class Uncopied:
        def __deepcopy__(self, _memo: Any) -> Any:
            pytest.fail("copied")

    run_step(work(dict, Policy(timeout=5), inputs={"x": Uncopied()}), services)
