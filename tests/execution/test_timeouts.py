from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from p2p.errors import StepTimeout
from p2p.execution import Services, Work, run_step, timeouts
from p2p.execution.timeouts import Limit, async_deadline, in_time
from p2p.policy import Policy

posix = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer signal")


def within(step: str, seconds: float, call: Callable[[], Any]) -> Any:
    return in_time(Limit(step, seconds, seconds), call)


def busy(seconds: float) -> None:
    """Work in Python, without a system call that waits."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        pass


def in_thread(function: Any) -> BaseException | None:
    """What `function` raises in a thread that is not the main one."""
    raised: list[BaseException] = []

    def target() -> None:
        try:
            function()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    return raised[0] if raised else None


@posix
def test_in_the_main_thread_even_a_blocking_call_is_stopped() -> None:
    began = time.monotonic()
    with pytest.raises(StepTimeout) as caught:
        within("slow", 0.05, lambda: time.sleep(10))
    assert time.monotonic() - began < 5
    assert caught.value.fields == {"step": "slow", "seconds": 0.05}


@posix
def test_code_that_swallows_every_exception_is_stopped_all_the_same() -> None:
    def stubborn() -> None:
        for _ in range(100):
            with contextlib.suppress(Exception):
                time.sleep(0.1)

    began = time.monotonic()
    with pytest.raises(StepTimeout):
        within("stubborn", 0.05, stubborn)
    assert time.monotonic() - began < 5


@posix
def test_the_timer_and_the_signals_handler_are_put_back() -> None:
    before = signal.getsignal(signal.SIGALRM)
    assert within("quick", 30, lambda: 1) == 1
    with pytest.raises(ValueError, match="'mine'"):
        within("failing", 30, lambda: int("mine"))
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


@posix
def test_a_step_within_a_step_leaves_the_outer_ones_limit_in_force() -> None:
    def outer() -> None:
        within("inner", 5, lambda: None)
        time.sleep(10)

    with pytest.raises(StepTimeout) as caught:
        within("outer", 0.2, outer)
    assert caught.value.fields["step"] == "outer"


@posix
def test_the_outer_steps_limit_stops_an_inner_step_that_has_more_time() -> None:
    with pytest.raises(StepTimeout) as caught:
        within("outer", 0.05, lambda: within("inner", 5, lambda: time.sleep(10)))
    assert caught.value.fields["step"] == "outer"


@posix
def test_an_inner_step_is_not_tried_again_when_the_outer_ones_time_is_over(services: Services) -> None:
    calls: list[int] = []

    def inner() -> dict[str, Any]:
        calls.append(1)
        time.sleep(10)
        return {}

    def outer() -> dict[str, Any]:
        run_step(Work(name="inner", body=inner, policy=Policy(retries=5, timeout=5)), services)
        return {}

    with pytest.raises(StepTimeout) as caught:
        run_step(Work(name="outer", body=outer, policy=Policy(timeout=0.1)), services)
    assert caught.value.fields["step"] == "outer"
    assert calls == [1]


def test_in_another_thread_running_code_is_stopped() -> None:
    error = in_thread(lambda: within("slow", 0.05, lambda: busy(10)))
    assert isinstance(error, StepTimeout)
    assert error.fields == {"step": "slow", "seconds": 0.05}


def test_in_another_thread_nested_limits_name_the_step_whose_time_is_over() -> None:
    error = in_thread(lambda: within("outer", 0.05, lambda: within("inner", 5, lambda: busy(10))))
    assert isinstance(error, StepTimeout)
    assert error.fields["step"] == "outer"


def near_the_limit() -> None:
    """Calls that end about when their time is over."""
    for place in range(600):
        with contextlib.suppress(StepTimeout):
            within("near", 0.002, lambda late=place % 30: busy(0.0018 + late * 1e-5))
    busy(0.01)


@posix
def test_however_near_to_its_limit_a_call_ends_no_error_of_the_clock_s_own_gets_out() -> None:
    near_the_limit()


def test_in_another_thread_none_gets_out_either() -> None:
    assert in_thread(near_the_limit) is None


@posix
def test_each_attempt_has_the_whole_time(services: Services, events: Any) -> None:
    calls: list[int] = []

    def body() -> dict[str, Any]:
        calls.append(1)
        if len(calls) == 1:
            time.sleep(10)
        return {"n": len(calls)}

    made = Work(name="slow", body=body, policy=Policy(timeout=0.1, retries=1, backoff=0))
    assert run_step(made, services).outputs == {"n": 2}
    assert events.last("step_retried")["error_type"] == "StepTimeout"


def test_no_limit_asks_for_no_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: pytest.fail("asked for a signal"))
    assert in_time(None, lambda: 1) == 1


def stubborn() -> int:
    """Code that catches two interruptions and ends of the third."""
    caught = 0
    while True:
        try:
            busy(10)
        except BaseException:
            caught += 1
            if caught == 3:
                raise


@posix
def test_code_that_swallows_the_interruption_is_interrupted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "GRACE", 0.05)
    began = time.monotonic()
    with pytest.raises(StepTimeout):
        within("stubborn", 0.05, stubborn)
    assert time.monotonic() - began < 5
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_in_another_thread_it_is_interrupted_again_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "GRACE", 0.05)

    assert isinstance(in_thread(lambda: within("stubborn", 0.05, stubborn)), StepTimeout)


def test_a_coroutine_that_swallows_its_cancellation_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "GRACE", 0.05)

    async def slow() -> None:
        async with async_deadline(Limit("stubborn", 0.05, 0.05)):
            for _ in range(2):
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(10)
            await asyncio.sleep(10)

    async def stopped() -> int:
        with pytest.raises(StepTimeout):
            await slow()
        task = asyncio.current_task()
        assert task is not None
        return task.cancelling()

    assert asyncio.run(stopped()) == 0
