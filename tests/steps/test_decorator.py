from __future__ import annotations

import asyncio
import inspect
import pickle
from typing import Any

import pytest

from p2p import step
from p2p.errors import StepTimeout
from p2p.execution import Services, use_services
from p2p.policy import Policy
from p2p.session import CallSites, use_call_sites
from p2p.steps.decorator import name_outputs


@step
def double(n: int, *, by: int = 2) -> int:
    """Gives n times `by`."""
    product = n * by
    return product


@step
def split(rows: list[int]) -> tuple[list[int], list[int]]:
    low = [r for r in rows if r < 5]
    high = [r for r in rows if r >= 5]
    return low, high


@step
async def fetch(n: int) -> int:
    await asyncio.sleep(0)
    page = n + 1
    return page


@step
def twice(n: int) -> int:
    total = double(n) + double(n)
    return total


def outputs_of(events: Any, name: str) -> list[str]:
    return list(events.last("step_finished", name)["outputs"])


def test_a_step_outside_any_run_is_just_the_function() -> None:
    assert double(3) == 6
    assert double(3, by=5) == 15
    assert split([1, 9]) == ([1], [9])
    assert asyncio.run(fetch(1)) == 2
    assert twice(2) == 8


def test_a_step_keeps_its_functions_name_docstring_signature_and_module() -> None:
    assert (double.__name__, double.__doc__, double.__module__) == ("double", "Gives n times `by`.", __name__)
    assert inspect.signature(double) == inspect.signature(double.function)
    assert inspect.unwrap(double) is double.function  # type: ignore[arg-type]
    assert repr(double) == "<step double>"


def test_a_step_can_be_pickled_by_its_name_and_still_is_the_same() -> None:
    assert pickle.loads(pickle.dumps(double)) is double


def test_a_step_in_a_class_is_a_method() -> None:
    class Model:
        factor = 3

        @step
        def scale(self, n: int) -> int:
            return self.factor * n

    assert Model().scale(2) == 6  # type: ignore[call-arg, arg-type]


def test_the_call_must_fit_the_signature_as_before() -> None:
    with pytest.raises(TypeError, match="missing a required argument: 'n'"):
        double()  # type: ignore[call-arg]


def test_in_a_run_inputs_go_by_parameter_and_outputs_by_the_return_statement(services: Services, events: Any) -> None:
    with use_services(services):
        assert split([1, 9]) == ([1], [9])
        assert double(3, by=4) == 12
    assert list(events.last("step_started", "split")["inputs"]) == ["rows"]
    assert outputs_of(events, "split") == ["low", "high"]
    assert list(events.last("step_started", "double")["inputs"]) == ["n", "by"]
    assert outputs_of(events, "double") == ["product"]


def test_a_coroutine_step_is_tracked_when_it_is_awaited(services: Services, events: Any) -> None:
    with use_services(services):
        assert asyncio.run(fetch(4)) == 5
    assert outputs_of(events, "fetch") == ["page"]


def test_a_step_called_in_a_step_is_its_child(services: Services, events: Any) -> None:
    with use_services(services):
        twice(1)
    assert [(e["step"], e["parent"]) for e in events.of("step_finished")] == [
        ("double", "twice"), ("double", "twice"), ("twice", ""),
    ]  # fmt: skip


def test_a_generic_return_without_names_is_called_result(services: Services, events: Any) -> None:
    made = step(eval("lambda n: n + 1"))  # no source to read
    with use_services(services):
        assert made(1) == 2
    assert len(outputs_of(events, "<lambda>")) == 1


def test_a_call_site_gives_the_names_of_what_goes_in_and_comes_out(services: Services, events: Any) -> None:
    sites = CallSites()
    source = "small, large = split(numbers)"
    with use_services(services), use_call_sites(sites):
        sites.enter_cell("c1", source, ["split"])
        split([1, 9])
    assert list(events.last("step_started", "split")["inputs"]) == ["numbers"]
    assert outputs_of(events, "split") == ["small", "large"]


def test_a_fallback_stands_in_for_the_result(services: Services, events: Any) -> None:
    @step(retry_on=OSError, fallback=lambda x: x + 1)
    def load(x: int) -> int:
        y = x
        raise OSError
        return y

    @step(fallback=5)
    async def later(x: int) -> int:
        raise OSError

    with use_services(services):
        assert load(1) == 2
        assert asyncio.run(later(1)) == 5  # type: ignore[arg-type]  # a coroutine
    assert [e["fallback"] for e in events.of("step_finished")] == [True, True]
    assert list(events.last("step_finished", "load")["outputs"]) == ["y"]


def test_a_retried_function_gets_its_arguments_as_they_were(services: Services) -> None:
    found: list[Any] = []

    @step(retries=1)
    def load(rows: list[int], *more: Any, **named: Any) -> int:
        found.append((list(rows), [*map(list, more)], {**named}))
        for one in (rows, *more):
            one.append(9)
        if len(found) < 2:
            raise OSError
        return len(rows)

    rows, more = [1], [2]
    with use_services(services):
        assert load(rows, more, k=3) == 2
    assert found == [([1], [[2]], {"k": 3})] * 2
    assert (rows, more) == ([1, 9], [2, 9])


def test_options_make_the_policy_and_decorate_without_a_run(services: Services, waits: list[float]) -> None:
    calls: list[int] = []

    @step(retries=2, backoff=0.5, timeout=9)
    def load() -> int:
        calls.append(1)
        if len(calls) < 3:
            raise OSError("not yet")
        return len(calls)

    with use_services(services):
        assert load() == 3
    assert load.policy == Policy(retries=2, backoff=0.5, timeout=9)
    assert waits == [0.5, 1.0]


def test_a_steps_timeout_holds_outside_a_run() -> None:
    @step(timeout=0.05)
    def slow() -> None:
        while True:
            pass

    with pytest.raises(StepTimeout, match="Step 'slow'"):
        slow()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"retry": 2}, TypeError),
        ({"retries": -1}, ValueError),
        ({"timeout": 0}, ValueError),
        ({"backoff": -1}, ValueError),
    ],
)
def test_a_bad_option_is_refused_where_it_is_written(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=next(iter(options))):
        step(**options)


def test_an_empty_pair_of_parentheses_is_no_option() -> None:
    assert step()(len).policy == Policy()


@pytest.mark.parametrize(
    ("result", "names", "outputs"),
    [
        (1, ("n",), {"n": 1}),
        (None, ("n",), {"n": None}),
        ((1, 2), ("a", "b"), {"a": 1, "b": 2}),
        ([1, 2], ("a", "b"), {"a": 1, "b": 2}),
        ((1, 2), ("pair",), {"pair": (1, 2)}),
        ((1, 2, 3), ("a", "b"), {"result": (1, 2, 3)}),
        (None, None, {}),
        (None, (), {}),
        (7, None, {"result": 7}),
    ],
)
def test_outputs_take_the_names_that_fit_and_nothing_is_lost(result: Any, names: Any, outputs: dict[str, Any]) -> None:
    assert name_outputs(result, names) == outputs


def test_every_call_gives_its_own_result_when_attempts_fail_in_between(services: Services) -> None:
    seen: list[int] = []

    @step(retries=1)
    def load(n: int) -> int:
        seen.append(n)
        if seen.count(n) == 1:
            raise ValueError(n)
        return n

    with use_services(services):
        assert [load(1), load(2)] == [1, 2]
