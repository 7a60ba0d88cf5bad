"""From what is asked to points: checked by the notebook's own parameters before anything starts, each once."""

from __future__ import annotations

from typing import Any

import pytest

from p2p.errors import InputRefused, ParameterError
from p2p.params import ParameterSet, read_parameters
from p2p.sweep import Request, plan
from p2p.sweep.files import Row
from p2p.sweep.planning import shown_parameters
from p2p.sweep.points import MOST, varying

CELL = """
from typing import Annotated, Literal
from pydantic import Field, SecretStr
from pathlib import Path
month: Annotated[int, Field(ge=1, le=12)] = 1
rate: Annotated[float, Field(gt=0, lt=1)] = 0.5
kind: Literal["a", "b"] = "a"
deep: bool = False
free: float = 2.0
title: str = "t"
sizes: list[int] = [1]
token: SecretStr = "default"
"""


@pytest.fixture(scope="module")
def parameters() -> ParameterSet:
    return read_parameters(CELL)


def shown(parameters: ParameterSet, **asked: Any) -> list[dict[str, Any]]:
    return [dict(point.shown) for point in plan(parameters, Request(**asked)).points]


def refused(parameters: ParameterSet, **asked: Any) -> str:
    with pytest.raises(InputRefused) as caught:
        plan(parameters, Request(**asked))
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_several_lists_are_all_combinations_the_last_changing_first(parameters: ParameterSet) -> None:
    found = shown(parameters, values={"month": "1,2", "kind": "a,b", "title": "same"})
    assert [(point["month"], point["kind"]) for point in found] == [(1, "a"), (1, "b"), (2, "a"), (2, "b")]
    assert {point["title"] for point in found} == {"same"}
    assert varying(found) == ["month", "kind"]


def test_without_any_value_there_is_one_point(parameters: ParameterSet) -> None:
    assert shown(parameters) == [{}]


def test_a_list_parameter_takes_several_lists_and_a_text_its_commas_in_quotes(parameters: ParameterSet) -> None:
    found = shown(parameters, values={"sizes": "[1,2],[3]", "title": '"a,b",c'})
    assert [(point["sizes"], point["title"]) for point in found] == [
        ([1, 2], "a,b"), ([1, 2], "c"), ([3], "a,b"), ([3], "c"),
    ]  # fmt: skip


def test_rows_are_joined_with_the_listed_values(parameters: ParameterSet) -> None:
    rows = [Row("line 2", text={"month": "3"}), Row("line 3", given={"rate": 0.25})]
    found = shown(parameters, rows=rows, values={"kind": "a,b"})
    assert found == [
        {"month": 3, "kind": "a"}, {"month": 3, "kind": "b"}, {"rate": 0.25, "kind": "a"}, {"rate": 0.25, "kind": "b"},
    ]  # fmt: skip


def test_equal_points_are_run_once_however_they_are_written(parameters: ParameterSet) -> None:
    made = plan(parameters, Request(values={"month": "1,2,1,02"}))
    assert ([point.shown for point in made.points], made.repeated) == ([{"month": 1}, {"month": 2}], 2)
    assert [point.number for point in made.points] == [1, 2]
    # The default, given or not, is one point.
    assert plan(parameters, Request(rows=[Row("1"), Row("2", given={"month": 1})])).repeated == 1


def test_secrets_are_told_apart_and_shown_nowhere(parameters: ParameterSet) -> None:
    made = plan(parameters, Request(values={"token": "hunter2hunter2,other"}))
    assert len(made.points) == 2
    assert "hunter2" not in repr([point.shown for point in made.points])
    assert [sorted(point.secrets) for point in made.points] == [["hunter2hunter2"], ["other"]]


def test_every_bad_value_and_name_is_told_at_once_with_its_place(parameters: ParameterSet) -> None:
    rows = [Row("line 2", text={"month": "13"}), Row("line 3"), Row("line 4", text={"month": "13", "rate": "2"})]
    text = refused(parameters, rows=rows)
    assert "Line 2, line 4: month must be less than or equal to 12, got 13." in text
    assert "Line 4: rate must be less than 1, got 2" in text
    text = refused(parameters, values={"month": "1,x", "nmae": "1", "kind": "c"})
    assert "Unknown parameter 'nmae'" in text
    assert "month must be" in text
    assert "kind must be 'a' or 'b'" in text


def test_a_message_has_the_first_of_very_many_problems(parameters: ParameterSet) -> None:
    text = refused(parameters, values={"month": ",".join(map(str, range(100, 200)))})
    assert "And 80 more problems." in text


@pytest.mark.parametrize(
    "values", [{"x; import os": "1"}, {"title\n": "1"}, {"__class__": "1"}, {"sizes": "[1"}, {"title": '"open'}]
)
def test_strange_names_and_texts_are_refused(parameters: ParameterSet, values: dict[str, str]) -> None:
    text = refused(parameters, values=values)
    assert "import os" not in text


def test_nan_is_what_the_type_says_of_it(parameters: ParameterSet) -> None:
    assert "rate must be" in refused(parameters, rows=[Row("line 2", text={"rate": "nan"})])
    made = plan(parameters, Request(rows=[Row("line 2", text={"free": "nan"}), Row("line 3", text={"free": "NaN"})]))
    assert len(made.points) == 1  # equal to itself, as a point


def test_more_points_than_a_sweep_may_have_are_refused_before_they_are_made(parameters: ParameterSet) -> None:
    many = ",".join(map(str, range(5000)))
    assert f"{MOST:,} are the most" in refused(parameters, values={"free": many, "title": many})
    assert "are the most" in refused(parameters, sample=MOST + 1)


def test_a_name_in_the_file_and_on_the_command_line_is_refused(parameters: ParameterSet) -> None:
    text = refused(parameters, rows=[Row("line 2", text={"month": "1"})], values={"month": "2"})
    assert "month is given with -p and in the file." in text


def test_a_sample_is_drawn_from_types_bounds_and_lists_and_is_the_same_for_a_seed(parameters: ParameterSet) -> None:
    asked = {"sample": 200, "seed": 5, "values": {"title": "x,y,z", "free": "7", "deep": "true"}}
    found = shown(parameters, **asked)
    assert found == shown(parameters, **asked)
    assert found != shown(parameters, **{**asked, "seed": 6})
    assert len(found) == 200
    assert {point["month"] for point in found} == set(range(1, 13))
    assert all(0 < point["rate"] < 1 for point in found)
    assert {point["kind"] for point in found} == {"a", "b"}
    assert {point["title"] for point in found} == {"x", "y", "z"}
    assert {(point["free"], point["deep"]) for point in found} == {(7.0, True)}
    assert all("token" not in point and "sizes" not in point for point in found)


def test_a_seed_is_chosen_and_recorded_when_none_is_given(parameters: ParameterSet) -> None:
    made = plan(parameters, Request(sample=2))
    assert made.seed is not None
    assert [p.shown for p in plan(parameters, Request(sample=2, seed=made.seed)).points] == [
        p.shown for p in made.points
    ]


def test_a_space_with_fewer_points_gives_them_all() -> None:
    found = shown(read_parameters("flag: bool = False"), sample=50, seed=1)
    assert sorted(point["flag"] for point in found) == [False, True]


def test_a_range_and_the_logarithm_are_drawn_when_asked_for(parameters: ParameterSet) -> None:
    fixed = {"month": "1", "rate": "0.5", "kind": "a", "deep": "true"}
    found = shown(parameters, sample=400, seed=1, values={**fixed, "free": "0.001..1000"}, by_log=["free"])
    values = sorted(point["free"] for point in found)
    assert values[0] >= 0.001
    assert values[-1] <= 1000
    assert 0.2 < values[200] < 5  # the middle of three decades on each side of 1
    even = shown(parameters, sample=400, seed=1, values={**fixed, "free": "0.001..1000"})
    assert 400 < sorted(point["free"] for point in even)[200] < 600


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"values": {"free": "9..1"}}, "is no range"),
        ({"values": {"month": "1.5..3"}}, "whole numbers"),
        ({"values": {"month": "1..99"}}, "month must be less than or equal to 12"),
        ({"by_log": ["kind"]}, "--log kind: it is not drawn from a range"),
        ({"by_log": ["nope"]}, "--log nope: it is not drawn from a range"),
        ({"by_log": ["rate"]}, "must begin above 0"),
        ({"rows": [Row("line 2")]}, "Points of a file are not drawn"),
    ],
)
def test_what_cannot_be_drawn_is_refused(parameters: ParameterSet, asked: dict[str, Any], told: str) -> None:
    assert told in refused(parameters, sample=40, seed=1, **asked)


def test_where_nothing_can_be_drawn_that_is_said() -> None:
    assert "There is nothing to draw" in refused(read_parameters("free: float = 1.0"), sample=3)


def test_multiples_and_excluded_bounds_are_kept() -> None:
    cell = """
from typing import Annotated
from pydantic import Field
step: Annotated[int, Field(gt=0, lt=20, multiple_of=5)] = 5
part: Annotated[float, Field(ge=0, le=1, multiple_of=0.25)] = 0.5
edge: Annotated[int, Field(gt=2, lt=5)] = 3
"""
    found = shown(read_parameters(cell), sample=60, seed=3)
    assert {point["step"] for point in found} == {5, 10, 15}
    assert {point["part"] for point in found} == {0, 0.25, 0.5, 0.75, 1}
    assert {point["edge"] for point in found} == {3, 4}


def test_as_many_points_as_a_sweep_may_have_are_taken(parameters: ParameterSet) -> None:
    assert len(shown(parameters, values={"free": ",".join(map(str, range(MOST)))})) == MOST


def test_the_sweeps_own_record_has_a_value_or_the_list_of_them(parameters: ParameterSet) -> None:
    made = plan(parameters, Request(values={"month": "1,2", "title": "same"}))
    assert shown_parameters(made.points) == {"month": [1, 2], "title": "same"}


def test_problems_are_parameter_errors(parameters: ParameterSet) -> None:
    with pytest.raises(ParameterError) as caught:
        plan(parameters, Request(values={"month": "13,14"}))
    assert len(caught.value.problems) == 2
