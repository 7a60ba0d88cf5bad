"""Points that an optimizer asks for, without kernels: the result of a point is worked out here."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import pytest

from p2p.errors import InputRefused, ParameterError
from p2p.model import RunStatus
from p2p.params import ParameterSet, read_parameters
from p2p.sweep.drawing import spaces_of
from p2p.sweep.optimizing import Goal, Optimized
from p2p.sweep.planning import fixed_of, listed_values
from p2p.sweep.points import PointResult

CELL = """
from typing import Annotated
from pydantic import Field
x: Annotated[float, Field(ge=-10, le=10)] = 0.0
n: int = 1
flag: bool = False
title: str = "t"
"""
VALUES = {"n": "1,2,3", "title": "same"}


@pytest.fixture(scope="module")
def parameters() -> ParameterSet:
    return read_parameters(CELL)


def optimized(
    parameters: ParameterSet, trials: int, done: Mapping[int, PointResult] | None = None, **other: Any
) -> Any:
    listed = listed_values(parameters, other.pop("values", VALUES))
    spaces = spaces_of(parameters, listed, ())
    goal = Goal.parse(other.pop("goal", "minimize:loss"))
    return Optimized(parameters, spaces, fixed_of(spaces, listed), goal, trials=trials, seed=other.pop("seed", 4),
                     done=done or {}, asked={})  # fmt: skip


def run(source: Any, most: int = 1000) -> dict[int, PointResult]:
    """Run points one after the other; the loss is least at x = 3, n = 2."""
    results: dict[int, PointResult] = {}
    while len(results) < most and (point := source.next()) is not None:
        shown = point.shown
        loss = (shown["x"] - 3) ** 2 + (shown["n"] - 2) ** 2
        results[point.number] = PointResult(point.number, shown, "key", "run", RunStatus.FINISHED, 1.0, {"loss": loss})
        assert source.heard(point, results[point.number]) == ""
    return results


def test_it_comes_nearer_to_the_goal_and_names_the_best_point(parameters: ParameterSet) -> None:
    source = optimized(parameters, 40)
    results = run(source)
    losses = {number: result.measures["loss"] for number, result in results.items()}
    assert sorted(losses) == list(range(1, 41))
    assert losses[source.best] == min(losses.values()) < 1
    assert all(-10 <= r.parameters["x"] <= 10 and r.parameters["title"] == "same" for r in results.values())
    assert {type(r.parameters["n"]) for r in results.values()} == {int}


def test_the_largest_is_the_best_where_that_is_the_goal(parameters: ParameterSet) -> None:
    source = optimized(parameters, 10, goal=" maximize : loss ")
    losses = {number: result.measures["loss"] for number, result in run(source).items()}
    assert losses[source.best] == max(losses.values())


def test_a_seed_asks_for_the_same_points(parameters: ParameterSet) -> None:
    first, second, other = (run(optimized(parameters, 15, seed=seed)) for seed in (1, 1, 2))
    assert [r.parameters for r in first.values()] == [r.parameters for r in second.values()]
    assert [r.parameters for r in first.values()] != [r.parameters for r in other.values()]


@pytest.mark.parametrize("before", [5, 30])
def test_a_sweep_that_is_gone_on_with_knows_what_came_before(parameters: ParameterSet, before: int) -> None:
    done = run(optimized(parameters, 40), most=before)
    source = optimized(parameters, 40, done)
    assert [trial.value for trial in source._study.trials] == [r.measures["loss"] for r in done.values()]
    assert [trial.params["n"] for trial in source._study.trials] == [str(r.parameters["n"]) for r in done.values()]
    rest = run(source)
    assert sorted(rest) == list(range(before + 1, 41))
    assert not [r for r in rest.values() if r.parameters in [known.parameters for known in done.values()]]
    assert source.best in {**done, **rest}


def test_a_failed_point_is_no_result_and_one_without_the_number_ends_the_sweep(parameters: ParameterSet) -> None:
    source = optimized(parameters, 3)
    point = source.next()
    assert source.heard(point, PointResult(1, point.shown, status=RunStatus.FAILED)) == ""
    point = source.next()
    told = source.heard(point, PointResult(2, point.shown, status=RunStatus.FINISHED, measures={"los": 1.0}))
    assert told == "point 2 gave no number 'loss'. Did you mean 'los'?"
    assert source.best is None


@pytest.mark.parametrize("text", ["", "score", "max:score", "maximize:", "minimize", "maximize score"])
def test_what_is_no_goal_is_refused(text: str) -> None:
    with pytest.raises(InputRefused, match="maximize:NAME"):
        Goal.parse(text)


def test_bad_fixed_values_are_refused_before_anything_is_asked_for(parameters: ParameterSet) -> None:
    with pytest.raises(ParameterError, match="n must be"):
        optimized(parameters, 3, values={"n": "none"})


def test_without_optuna_the_line_that_installs_it_is_told(
    parameters: ParameterSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(InputRefused, match=r"pip install .p2p-toolkit\[optuna\]"):
        optimized(parameters, 3)
