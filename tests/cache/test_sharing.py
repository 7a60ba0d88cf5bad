from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from p2p.cache.sharing import groups, held, shared, views
from tests.cache import examples
from tests.cache.conftest import Bench

WHOLE = np.arange(12.0).reshape(3, 4)
ROWS = [[1], [2]]
BUFFER = bytearray(64)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"a": WHOLE, "b": WHOLE[:2]}, ["a", "b"]),
        ({"a": WHOLE[1:], "b": WHOLE[:1], "c": WHOLE.copy()}, ["a", "b"]),
        ({"a": WHOLE, "b": WHOLE}, []),  # one array under two names: kept by what is stored together
        ({"a": WHOLE, "b": {"rows": [WHOLE.T]}}, ["a", "b"]),
        ({"a": WHOLE, "b": SimpleNamespace(part=WHOLE[0])}, ["a", "b"]),
        ({"a": WHOLE, "b": np.lib.stride_tricks.sliding_window_view(WHOLE, (2, 2))}, ["a", "b"]),
        ({"a": np.frombuffer(BUFFER, "u1"), "b": np.frombuffer(BUFFER, "u1")}, ["a", "b"]),
        ({"a": ROWS, "b": ROWS[0]}, []),
        ({"a": WHOLE.copy(), "b": WHOLE.copy()}, []),
    ],
)
def test_an_array_that_shows_the_memory_of_another_is_a_view(values: dict[str, Any], expected: list[str]) -> None:
    assert views(held(values)) == expected


class Slotted:
    __slots__ = ("empty", "rows")

    def __init__(self, rows: Any) -> None:
        self.rows = rows


def test_names_that_hold_one_object_are_a_group() -> None:
    values = {"a": ROWS, "b": ROWS[0], "c": [1], "d": WHOLE, "e": WHOLE[0], "n": 1, "m": 1}
    assert groups(held(values)) == [("a", "b"), ("d", "e")]
    assert groups(held({"a": ROWS, "b": Slotted(ROWS)})) == [("a", "b")]
    assert shared(held(values)) == ["a", "b", "d", "e"]


@pytest.mark.parametrize("resumed", [True, False])
def test_what_is_changed_through_a_view_is_changed_in_a_later_run_too(bench: Bench, resumed: bool) -> None:
    """A view cannot be stored as one, so the step that makes it runs again, and what changes it shows in the whole."""
    first = bench.run(cache=not resumed)
    again = bench.run(first.directory if resumed else None, cache=not resumed)
    for run in (first, again):
        whole = run.step(examples.table, ("whole",), n=1).outputs["whole"]
        part = run.step(examples.corner, ("part",), whole=whole).outputs["part"]
        run.step(examples.mark, ("part",), part=part)
        assert whole[0, 0] == 99
        assert run.step(examples.doubled, ("y",), whole=whole).outputs["y"][0, 0] == 198


def test_a_step_that_gives_a_view_says_why_it_is_not_kept(bench: Bench) -> None:
    run = bench.run()
    run.step(examples.corner, ("part",), whole=WHOLE)
    assert run.last()["uncached"] == [
        "it gives what cannot be stored: 'part' (a view: it shows the memory of another array)"
    ]


@pytest.mark.parametrize("rows", [["one"] * 100, np.arange(600.0), pd.DataFrame({"x": [1.0, 2.0]})])
def test_what_is_passed_on_is_stored_once_and_is_the_input_again(bench: Bench, rows: Any) -> None:
    """A frame of many gigabytes was pickled a second time, in memory and on disk, to say that it is the same one."""
    run = bench.run()
    run.step(examples.passes_on, ("passed",), rows=rows)
    told = run.last()["kept"]
    assert (told["same"], "together" in told) == ({"passed": "rows"}, False)
    assert len(list(bench.values.root.glob("??/*"))) == 2  # one is the states of the random generators
    again = bench.run()
    assert again.step(examples.passes_on, ("passed",), rows=rows).outputs["passed"] is rows
    assert again.last()["state"] == "cached"


def test_what_holds_what_is_passed_on_holds_it_again(bench: Bench) -> None:
    for _ in range(2):
        rows = [[1], [2]]
        run = bench.run()
        found = run.step(examples.passes_on_and_wraps, ("one", "other", "whole"), rows=rows)
        assert found.outputs["one"] is found.outputs["other"] is found.outputs["whole"]["held"] is rows
    assert run.last()["state"] == "cached"


def deeply(part: Any) -> Any:
    """The list in a part that a step has given."""
    return part["old"][1] if isinstance(part, dict) else part


@pytest.mark.parametrize("resumed", [True, False])
@pytest.mark.parametrize(
    ("step", "make"),
    [
        (examples.first, lambda: [[1], [2]]),
        (examples.first, lambda: ([1], [2])),
        (examples.first, lambda: [[1], [1]]),  # equal, and two
        (examples.named, lambda: {(1, 2): [3], "rows": [1]}),
        (examples.attribute, lambda: examples.Holder([1])),
        (examples.wrapped, lambda: [[1], [2]]),
        (examples.grows_and_gives_a_part, lambda: [[1], [2]]),
    ],
)
def test_a_part_of_an_input_is_that_part_of_it_again(
    bench: Bench, step: Any, make: Callable[[], Any], resumed: bool
) -> None:
    """What a later step changes in the part shows in the whole, as it did when the step itself had run."""
    states, seen = [], []
    directory = None
    for _ in range(2):
        run = bench.run(directory, cache=not resumed)
        directory, whole = (run.directory if resumed else None), make()
        part = run.step(step, ("part",), whole=whole).outputs["part"]
        states.append(run.last()["state"])
        deeply(part).append(99)
        seen.append(repr(vars(whole) if isinstance(whole, examples.Holder) else whole))
    assert states == ["done", "cached"]
    assert seen[0] == seen[1]
    assert "99" in seen[0]
