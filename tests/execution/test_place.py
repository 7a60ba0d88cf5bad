from __future__ import annotations

import dataclasses
from typing import Any

from p2p.execution import Services, Work, idempotency_key, run_step
from p2p.policy import Policy


def keys_of(services: Services, *, retries: int = 0, fail: int = 0, calls: int = 1) -> list[list[str]]:
    """The keys of `outer` and of the calls of `inner` in it, one list an attempt."""
    told: list[list[str]] = []

    def inner() -> dict[str, Any]:
        told[-1].append(idempotency_key())
        return {}

    def outer() -> dict[str, Any]:
        told.append([idempotency_key()])
        for _ in range(calls):
            run_step(Work(name="inner", body=inner), services)
        if len(told) <= fail:
            raise OSError
        return {}

    run_step(Work(name="outer", body=outer, policy=Policy(retries=retries)), services)
    return told


def test_each_attempt_of_a_step_and_of_what_it_calls_has_the_same_key(services: Services) -> None:
    run = dataclasses.replace(services, run="run-attempts")
    first, second, third = keys_of(run, retries=2, fail=2, calls=2)
    assert first == second == third
    assert len({*first}) == 3
    assert keys_of(run)[0][0] not in first


def test_a_run_that_resumes_has_the_keys_of_the_first_and_another_run_has_others(services: Services) -> None:
    from p2p.execution import place

    def fresh(run: str) -> list[str]:
        place._CALLS.pop(run, None)  # as in another process
        return keys_of(dataclasses.replace(services, run=run))[0]

    assert fresh("run-a") == fresh("run-a")
    assert not {*fresh("run-a")} & {*fresh("run-b")}


def test_outside_a_run_a_call_has_its_own_key_for_all_its_attempts(services: Services) -> None:
    first, second = keys_of(services, retries=1, fail=1)
    assert first == second
    assert keys_of(services)[0] != first
    assert idempotency_key() != idempotency_key()
