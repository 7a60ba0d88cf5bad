from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
import time
from typing import Any

import pytest

from p2p.errors import StepTimeout
from p2p.execution import Services, Work, run_step, timeouts
from p2p.execution.timeouts import Limit, async_deadline, deadline
from p2p.policy import Policy

posix = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timer signal")


def within(step: str, seconds: float) -> Any:
    return deadline(Limit(step, seconds, seconds))


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
    with pytest.raises(StepTimeout) as caught, within("slow", 0.05):
        time.sleep(10)
    assert time.monotonic() - began < 5
    assert caught.value.fields == {"step": "slow", "seconds": 0.05}


@posix
def test_code_that_swallows_every_exception_is_stopped_all_the_same() -> None:
    def stubborn() -> None:
        for _ in range(100):
            with contextlib.suppress(Exception):
                time.sleep(0.1)

    began = time.monotonic()
    with pytest.raises(StepTimeout), within("stubborn", 0.05):
        stubborn()
    assert time.monotonic() - began < 5


@posix
def test_the_timer_and_the_signals_handler_are_put_back() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with within("quick", 30):
        pass
    with pytest.raises(ValueError, match="mine"), within("failing", 30):
        raise ValueError("mine")
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


@posix
def test_a_step_within_a_step_leaves_the_outer_ones_limit_in_force() -> None:
    def outer() -> None:
        with within("outer", 0.2):
            with within("inner", 5):
                pass
            time.sleep(10)

    with pytest.raises(StepTimeout) as caught:
        outer()
    assert caught.value.fields["step"] == "outer"


@posix
def test_the_outer_steps_limit_stops_an_inner_step_that_has_more_time() -> None:
    with pytest.raises(StepTimeout) as caught, within("outer", 0.05), within("inner", 5):
        time.sleep(10)
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
    def slow() -> None:
        with within("slow", 0.05):
            busy(10)

    error = in_thread(slow)
    assert isinstance(error, StepTimeout)
    assert error.fields == {"step": "slow", "seconds": 0.05}


def test_in_another_thread_nested_limits_name_the_step_whose_time_is_over() -> None:
    def slow() -> None:
        with within("outer", 0.05), within("inner", 5):
            busy(10)

    error = in_thread(slow)
    assert isinstance(error, StepTimeout)
    assert error.fields["step"] == "outer"


def test_in_another_thread_nothing_comes_after_a_block_that_ended_in_time() -> None:
    def quick() -> None:
        for _ in range(20):
            with within("quick", 0.01):
                busy(0.0095)
            busy(0.002)

    error = in_thread(quick)
    assert error is None or isinstance(error, StepTimeout)


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
    with deadline(None):
        pass


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
    with pytest.raises(StepTimeout), within("stubborn", 0.05):
        stubborn()
    assert time.monotonic() - began < 5
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_in_another_thread_it_is_interrupted_again_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "GRACE", 0.05)

    def slow() -> None:
        with within("stubborn", 0.05):
            stubborn()

    assert isinstance(in_thread(slow), StepTimeout)


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
