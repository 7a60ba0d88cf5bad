from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from p2p.contracts import observe, unseen

pandas = pytest.importorskip("pandas")


def of(column: Any, name: str = "c") -> dict[str, Any]:
    """The facts of one column."""
    found: dict[str, Any] = observe([pandas.DataFrame({name: column})]).get(name, {})
    return found


@pytest.mark.parametrize(
    ("column", "facts"),
    [
        ([3, 1, 2], {"min": 1, "max": 3}),
        ([0.1, None, 2.5], {"min": 0.1, "max": 2.5, "nulls": True}),
        ([1.5, float("inf")], {"min": 1.5, "max": 1.5, "nulls": False}),
        ([0.0, -0.0], {"min": 0.0, "max": 0.0, "nulls": False}),
        ([None, float("nan")], {"nulls": True}),
        (pandas.array([1, None], dtype="Int64"), {"min": 1, "max": 1, "nulls": True}),
        ([True, False], {}),
        ([1j, 2j], {"nulls": False}),
        (pandas.to_datetime(["2024-02-01", "2024-01-01"]),
         {"min": "2024-01-01T00:00:00", "max": "2024-02-01T00:00:00", "nulls": False}),
        (["b", "a", "b", "a", None], {"values": ["a", "b"], "nulls": True}),
        (pandas.Categorical(["hi", "lo"], categories=["lo", "hi"], ordered=True),
         {"values": ["lo", "hi"], "nulls": False}),
        (pandas.Categorical(["b"], categories=["b", "a"]), {"values": ["a", "b"], "nulls": False}),
        ([["a"], ["a"]], {"nulls": False}),
    ],
)  # fmt: skip
def test_a_column_s_facts_are_its_range_its_nulls_and_its_categories(column: Any, facts: dict[str, Any]) -> None:
    found = of(column)
    assert found == facts
    assert json.loads(json.dumps(found)) == facts
    assert "-0.0" not in repr(found)


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(["ann", "bob", "cid", "ann"], id="texts that hardly repeat"),
        pytest.param([str(n) for n in range(13)] * 3, id="more than twelve"),
        pytest.param(["he said that he would come", "no"] * 3, id="a sentence"),
        pytest.param(["ann@example.org", "bob@example.org"] * 3, id="addresses"),
        pytest.param(["sk9f8e7d6c5b4a39281f", "no"] * 3, id="a key"),
        pytest.param([f"{n} and some more text" for n in range(5)] * 3, id="more than a line together"),
    ],
)
def test_texts_that_are_no_categories_are_not_written_down(column: list[str]) -> None:
    assert of(column) == {"nulls": False}


@pytest.mark.parametrize(
    "name", ["id", "customer_id", "customerId", "Email", "e-mail", "name", "last name", "API key", "ssn"]
)
def test_of_a_column_that_identifies_somebody_only_nulls_are_told(name: str) -> None:
    assert of(["a", "b"] * 3, name) == {"nulls": False}
    assert of([1, 2], name) == {}


@pytest.mark.parametrize("name", ["width", "island", "paid", "keyboard", "valid", "species"])
def test_a_column_whose_name_only_looks_like_one_that_identifies_is_told(name: str) -> None:
    assert of(["a", "b"] * 3, name)["values"] == ["a", "b"]


def test_a_secret_of_the_environment_is_no_category(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "values" in of(["hunter2", "no"] * 3)
    monkeypatch.setenv("SHOP_PASSWORD", "hunter2")
    assert of(["hunter2", "no"] * 3) == {"nulls": False}


def test_values_of_one_name_are_told_together() -> None:
    one = pandas.DataFrame({"n": [1, 2], "k": ["a", "a"], "gone": [1, 1]})
    other = pandas.DataFrame({"k": ["b", None, "b"], "n": [5, 0, 1]})
    assert observe([one, other]) == {"n": {"min": 0, "max": 5}, "k": {"values": ["a", "b"], "nulls": True}}


def test_a_series_and_an_array_have_facts_of_their_own() -> None:
    assert observe([pandas.Series([1, 2])]) == {"min": 1, "max": 2}
    assert observe([np.array([[1.0, 2.0]])]) == {"shape": [1, 2], "min": 1.0, "max": 2.0, "nulls": False}
    assert observe([np.ones(2, int), np.zeros(3, int)]) == {"min": 0, "max": 1}
    assert observe([np.array([object()])])["shape"] == [1]


def test_columns_without_a_name_of_their_own_are_left_out() -> None:
    frame = pandas.DataFrame([[1, 2, 3]], columns=["a", "a", 2024])
    assert observe([frame]) == {}


SEEN = observe(
    [pandas.DataFrame({"n": [1, 5], "t": pandas.to_datetime(["2024", "2025"]), "k": ["a", "a"], "f": [1.0, None]})]
)


def test_what_was_seen_before_is_not_told() -> None:
    assert (
        unseen(
            pandas.DataFrame({"n": [5], "t": pandas.to_datetime(["2024"]), "k": ["a"], "f": [None], "new": [1]}), SEEN
        )
        == []
    )


def test_what_goes_beyond_what_was_seen_is_told_by_column_with_a_count_and_an_example() -> None:
    frame = pandas.DataFrame({"n": [0, 3, 9], "t": pandas.to_datetime(["2023", "2024", "2024"]), "k": ["b", "a", None]})
    assert unseen(frame, SEEN) == [
        "column 'n' lies outside of what was seen (1 to 5): 2 of 3 rows, e.g. row 0: 0",
        "column 't' lies outside of what was seen (2024-01-01T00:00:00 to 2025-01-01T00:00:00): 1 of 3 rows, "
        "e.g. row 0: Timestamp('2023-01-01 00:00:00')",
        "column 'k' has nulls, and none were seen: 1 of 3 rows, e.g. row 2: nan",
        "column 'k' has a category that was not seen: 1 of 3 rows, e.g. row 0: 'b'",
    ]
    assert unseen(np.array([[7.0]]), observe([np.eye(2)])) == [
        "it lies outside of what was seen (0.0 to 1.0): 1 of 1 row, e.g. row 0: 7.0"
    ]
