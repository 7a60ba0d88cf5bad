from __future__ import annotations

from typing import Any

import pytest

from p2p.contracts import broken_rules
from p2p.secrets import MASK

pandas = pytest.importorskip("pandas")
pandera = pytest.importorskip("pandera.pandas")


def broken(column: Any, **rules: Any) -> list[str]:
    """What a frame's column 'c' breaks of the rules for it."""
    schema = pandera.DataFrameSchema({"c": pandera.Column(**{"nullable": True, **rules})})
    return broken_rules(pandas.DataFrame({"c": column}), schema)


def test_a_column_of_a_wrong_type_is_told_by_both_types_and_the_rows_that_cannot_be_of_it() -> None:
    numbers = pandas.Series([1.5] * 8_400, dtype=object)
    numbers[[17, 99, 1_200]] = "n/a"
    assert broken(numbers, dtype="float64") == [
        "column 'c' should be float64 and is object: 3 of 8,400 rows, e.g. row 17: 'n/a'"
    ]
    assert broken(["x", 7], dtype="str") == ["column 'c' should be str and is object: 1 of 2 rows, e.g. row 1: 7"]


@pytest.mark.parametrize(
    ("column", "wanted", "actual"),
    [
        ([1.0, 2.0], "int64", "float64"),
        (["1", "2"], "int64", "str"),
        (pandas.Categorical(["a", "b"]), "str", "category"),
    ],
)
def test_where_every_row_could_be_of_the_type_all_rows_are_told(column: Any, wanted: str, actual: str) -> None:
    assert broken(column, dtype=wanted) == [f"column 'c' should be {wanted} and is {actual}: all 2 rows"]


def test_every_broken_rule_is_told_at_once_with_a_count_and_an_example() -> None:
    schema = pandera.DataFrameSchema(
        {"age": pandera.Column(int, pandera.Check.ge(0)), "name": pandera.Column(str), "note": pandera.Column()}
    )
    frame = pandas.DataFrame({"age": [-1, 3, -2], "note": ["a", None, "b"]}, index=["x", "y", "z"])
    assert broken_rules(frame, schema) == [
        "column 'name' is missing",
        "column 'age' breaks greater_than_or_equal_to(0): 2 of 3 rows, e.g. row 'x': -1",
        "column 'note' must have no nulls: 1 of 3 rows, e.g. row 'y': nan",
    ]


def test_a_rule_about_the_whole_frame_is_told_of_it() -> None:
    schema = pandera.DataFrameSchema(checks=pandera.Check(lambda frame: len(frame) > 1, name="enough_rows"))
    assert broken_rules(pandas.DataFrame({"c": [1]}), schema) == ["it breaks enough_rows: False"]


def test_of_two_columns_of_one_name_both_types_are_told() -> None:
    frame = pandas.DataFrame([[1, 2.5]], columns=["c", "c"])
    schema = pandera.DataFrameSchema({"c": pandera.Column("int64")})
    assert broken_rules(frame, schema) == ["column 'c' should be int64 and is int64 and float64: its only row"]


def test_a_series_is_held_to_its_type_and_name() -> None:
    schema = pandera.SeriesSchema("int64", nullable=True, name="y")
    assert broken_rules(pandas.Series([1], name="y"), schema) == []
    assert broken_rules(pandas.Series([1.5], name="z"), schema) == [
        "it should be named 'y' and is named 'z'",
        "it should be int64 and is float64: its only row",
    ]


def test_rows_of_several_labels_are_told_by_all_of_them() -> None:
    index = pandas.MultiIndex.from_tuples([("a", 1), ("a", 2)])
    assert broken(pandas.Series([1, "n/a"], index=index), dtype="int64") == [
        "column 'c' should be int64 and is object: 1 of 2 rows, e.g. row ('a', 2): 'n/a'"
    ]


def test_an_example_is_masked_where_it_is_a_secret_and_never_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a cut leaves of a secret would be known to no later mask."""
    monkeypatch.setenv("SHOP_TOKEN", "tok-12345")
    [masked] = broken(["tok-12345", 1], dtype="int64")
    assert masked.endswith(f"e.g. row 0: '{MASK}'")
    [described] = broken([f"{'x' * 50}tok-12345", 1], dtype="int64")
    assert described.endswith("e.g. row 0: a str of 61 characters")
