from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from p2p import idempotency_key, step
from p2p.errors import InputRefused, ItemFailed, StepTimeout
from p2p.execution import Code, Services, mapped_code, use_services
from p2p.execution.generators import Branches, digests, states


@pytest.fixture(autouse=True)
def used(services: Services) -> Any:
    with use_services(services):
        yield


def test_each_item_is_called_with_the_constants_and_the_results_are_in_order(events: Any) -> None:
    @step
    def scaled(x: int, factor: int = 1) -> int:
        return x * factor

    assert scaled.map(range(4), factor=10) == [0, 10, 20, 30]
    assert scaled.map(iter([5])) == [5]
    assert scaled.map([]) == []
    assert events.kinds() == ["step_started", "step_finished"] * 3
    assert {name: events.of("step_finished")[0][name] for name in ("items", "item_retries", "item_fallbacks")} == {
        "items": 4, "item_retries": 0, "item_fallbacks": 0,
    }  # fmt: skip


@pytest.mark.parametrize("partitions", ["ab", {"a": 1}, {1, 2}, 7, b"ab"])
def test_what_is_hardly_meant_as_a_list_is_refused_before_the_step_begins(partitions: Any, events: Any) -> None:
    tried = step(lambda x: x)
    with pytest.raises(InputRefused, match=r"cannot be mapped over a .* Give it a list"):
        tried.map(partitions)
    assert events.all == []


def test_a_coroutine_function_is_refused() -> None:
    @step
    async def fetch(x: int) -> int:
        return x

    with pytest.raises(InputRefused, match=r"asyncio.gather\(\*\(fetch\(item\)"):
        fetch.map([1])


def failing(times: dict[int, int], error: type[Exception] = OSError) -> Callable[[int], int]:
    """Fails so many times at an item."""

    def called(x: int) -> int:
        times[x] = times.get(x, 0) - 1
        if times[x] >= 0:
            raise error(f"not {x}")
        return x

    return called


def test_an_item_is_tried_again_alone_and_its_retries_are_told_with_its_index(events: Any, waits: list[float]) -> None:
    times = {12: 2, 14: 1}
    tried = step(retries=2, backoff=3, jitter=0)(failing(times))
    assert tried.map([10, 12, 14]) == [10, 12, 14]
    assert times == {10: -1, 12: -1, 14: -1}
    assert [(e["item"], e["attempt"], e["error"]) for e in events.of("step_retried")] == [
        (1, 1, "not 12"), (1, 2, "not 12"), (2, 1, "not 14"),
    ]  # fmt: skip
    assert waits == [3, 6, 3]
    assert events.last("step_finished")["item_retries"] == 3


def test_the_last_failure_of_an_item_fails_the_whole_and_names_it(events: Any) -> None:
    times = {12: 9}
    tried = step(retries=1, backoff=0, retry_on=OSError)(failing(times))
    with pytest.raises(ItemFailed, match=r"'called' failed at item 1 of its 3 .*: OSError: not 12") as failed:
        tried.map([10, 12, 14])
    assert isinstance(failed.value.__cause__, OSError)
    assert failed.value.fields["item"] == 1
    assert 14 not in times
    assert "not 12" in "".join(failed.value._render_traceback_()[:-1])
    assert events.last("step_finished")["state"] == "failed"


def test_a_failure_that_the_policy_does_not_name_is_not_tried_again() -> None:
    times = {1: 9}
    with pytest.raises(ItemFailed):
        step(retries=5, backoff=0, retry_on=OSError)(failing(times, ValueError)).map([1])
    assert times == {1: 8}


def test_a_fallback_stands_in_for_one_item(events: Any) -> None:
    tried = step(fallback=lambda x: -x)(failing({2: 9}))
    assert tried.map([1, 2, 3]) == [1, -2, 3]
    assert events.last("step_finished")["item_fallbacks"] == 1


def test_a_timeout_is_that_of_each_item() -> None:
    @step(timeout=0.3)
    def slow(seconds: float) -> float:
        time.sleep(seconds)
        return seconds

    assert slow.map([0.15] * 4) == [0.15] * 4
    with pytest.raises(ItemFailed, match="item 1 of its 2") as failed:
        slow.map([0, 5])
    assert isinstance(failed.value.__cause__, StepTimeout)


def test_whoever_watches_is_told_of_items_with_limits_now_and_then_and_that_none_runs_any_more(
    events: Any, services: Services
) -> None:
    now = [0.0]

    @step(timeout=60)
    def spend(seconds: float) -> None:
        now[0] += seconds

    with use_services(replace(services, monotonic=lambda: now[0])):
        spend.map([0.25] * 8)
    assert events.kinds() == ["step_started", "attempt_started", "attempt_started", "attempt_finished", "step_finished"]


def test_a_retry_finds_item_and_constants_as_the_first_attempt_found_them() -> None:
    seen: list[tuple[list[int], list[int]]] = []

    @step(retries=1, backoff=0)
    def grow(rows: list[int], common: list[int]) -> int:
        seen.append(([*rows], [*common]))
        rows.append(0)
        common.append(0)
        if len(seen) == 1:
            raise OSError
        return len(rows)

    assert grow.map([[1]], common=[5]) == [2]
    assert seen == [([1], [5])] * 2


def test_every_item_has_an_idempotency_key_of_its_own_which_its_attempts_share() -> None:
    keys: list[tuple[int, str]] = []

    @step(retries=1, backoff=0)
    def note(x: int) -> None:
        keys.append((x, idempotency_key()))
        if len(keys) == 1:
            raise OSError

    note.map([1, 2])
    assert keys[0] == keys[1]
    assert keys[1][1] != keys[2][1]


def draw(x: Any) -> tuple[float, float]:
    return random.random(), float(np.random.random())


def test_what_an_item_draws_follows_from_its_number_alone() -> None:
    random.seed(3)
    np.random.seed(3)
    first = step(draw).map(["a"])
    between = random.random()
    random.seed(3)
    np.random.seed(3)
    more = step(draw).map([1, 2, 3])
    assert first == more[:1]
    assert len({*more}) == 3
    assert random.random() == between
    assert step(draw).map([1, 2, 3]) != more


def test_generators_that_no_item_draws_from_stand_where_they_stood() -> None:
    random.seed(3)
    before = states()["random"]
    step(lambda x: float(np.random.random())).map([1, 2])
    assert states()["random"] == before


def test_a_branch_leaves_alone_a_generator_that_was_not_there_at_its_origin() -> None:
    np.random.seed(9)
    expected = np.random.random()
    np.random.seed(9)
    Branches({"random": digests()["random"]}).start(0)
    assert np.random.random() == expected


def test_steps_within_items_are_recorded_as_called_by_the_mapped_step(events: Any) -> None:
    @step
    def inner(x: int) -> int:
        return x + 1

    @step
    def outer(x: int) -> int:
        return inner(x)

    assert outer.map([1, 2]) == [2, 3]
    assert [e["parent"] for e in events.of("step_finished", "inner")] == ["outer", "outer"]


def test_a_mapped_step_is_no_equal_of_one_that_is_called_with_the_same_list() -> None:
    assert mapped_code(Code("a")).digest != "a"
    assert mapped_code(Code("a", ("why",))).doubts == ("why",)


def test_what_an_item_draws_does_not_depend_on_what_the_others_have_drawn() -> None:
    @step
    def last_of(many: int) -> float:
        return [random.random() for _ in range(many)][-1]

    random.seed(3)
    few = last_of.map([1, 1])
    random.seed(3)
    assert last_of.map([7, 1])[1] == few[1]
    assert few[0] != few[1]
