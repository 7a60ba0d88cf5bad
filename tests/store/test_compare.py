"""`difference` names the first place where two values differ, and nothing when they are equal."""

from __future__ import annotations

import datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from p2p.store import difference
from tests.store import made
from tests.store.example_models import Point, Scores

VALUES, AGAIN = made.everything(), made.everything()


@pytest.mark.parametrize("name", VALUES)
def test_a_value_made_twice_does_not_differ(name: str) -> None:
    assert difference(VALUES[name], AGAIN[name]) is None


def frame(**changed: Any) -> pd.DataFrame:
    columns: dict[str, Any] = {"n": [1, 2, 3], "delay": [1.0, np.nan, 3.0], "carrier": ["UA", "AA", None]}
    return pd.DataFrame(columns | changed)


DAY = datetime.date(2026, 1, 1)

CASES: list[tuple[Any, Any, str]] = [
    ({"auc": 0.81}, {"auc": 0.83}, "key 'auc': 0.81 against 0.83"),
    ({"a": 1, "b": 2}, {"a": 1}, "key 'b': missing in the second"),
    ({"a": 1}, {"a": 1, "b": 2, "c": 3}, "key 'b': missing in the first, and 1 more"),
    ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, "key 'a', item 1, key 'b': 2 against 3"),
    ([1, 2], [1, 2, 3], "length 2 against 3"),
    (1, 1.0, "type builtins.int against builtins.float"),
    ([1], (1,), "type builtins.list against builtins.tuple"),
    ([True], [1], "item 0: type builtins.bool against builtins.int"),
    ("abc", "abd", "'abc' against 'abd'"),
    ("x" * 500 + "a", "x" * 500 + "b", "character 500: 'xxxxxxxxxxa' against 'xxxxxxxxxxb'"),
    (b"abc", b"abd", "byte 2: 99 against 100"),
    ({1, 2}, {2, 3, 4}, "1 is only in the first and 3 is only in the second, and 1 more"),
    (np.zeros((3, 2)), np.zeros((3, 1)), "shape (3, 2) against (3, 1)"),
    (np.zeros(2), np.zeros(2, "f4"), "dtype float64 against float32"),
    (np.array([1.0, np.nan, 3]), np.array([1.0, np.nan, 4]), "position 2: 3.0 against 4.0"),
    (np.zeros((2, 2)), np.ones((2, 2)), "position (0, 0): 0.0 against 1.0, and 3 more"),
    (np.array([[1], None], object), np.array([[2], None], object), "position 0, item 0: 1 against 2"),
    (np.float64(1), np.float64(2), "1.0 against 2.0"),
    (frame(), frame(delay=[1.0, np.nan, 4.0]), "column 'delay', row 2: 3.0 against 4.0"),
    (frame(), frame(delay=[2.0, 1.0, 4.0]), "column 'delay', row 0: 1.0 against 2.0, and 2 more"),
    (frame(), frame(carrier=["UA", None, None]), "column 'carrier', row 1: "),
    (frame(), frame(n=[1.0, 2.0, 3.0]), "column 'n', dtype int64 against float64"),
    (frame(), frame().head(2), "shape (3, 3) against (2, 3)"),
    (frame(), frame().rename(columns={"n": "m"}), "columns, row 0: 'n' against 'm'"),
    (frame(), frame()[["delay", "n", "carrier"]], "columns, row 0: 'n' against 'delay', and 1 more"),
    (frame(), frame().set_axis([0, 1, 5]), "index of type RangeIndex against Index"),
    (frame().set_axis([0, 1, 4]), frame().set_axis([0, 1, 5]), "index, row 2: 4 against 5"),
    (pd.Series([1], name="a"), pd.Series([1], name="b"), "name: 'a' against 'b'"),
    (pd.Series([1, None], dtype="Int64"), pd.Series([1, 2], dtype="Int64"), "row 1: "),
    (pd.Series(["a"], dtype="category"), pd.Series(["b"], dtype="category"), "dtype CategoricalDtype("),
    (pd.Series([pd.Timestamp("2026")]), pd.Series([pd.Timestamp("2027")]), "row 0: 2026-01-01 00:00:00 against 2027-"),
    (Scores(auc=1, when=DAY), Scores(auc=2, when=DAY), "attribute 'auc': 1.0 against 2.0"),
    ([Point(1, {"a"})], [Point(1, {"b"})], "item 0, attribute 'tags': 'a' is only in the first and 'b' is only in"),
    (DAY, datetime.date(2026, 1, 2), ""),
]


@pytest.mark.parametrize(("one", "other", "sentence"), CASES, ids=lambda value: str(value)[:40])
def test_the_sentence_names_the_first_place(one: Any, other: Any, sentence: str) -> None:
    found = difference(one, other)
    assert found is not None
    assert found.startswith(sentence)
    assert "\n" not in found
    assert difference(other, one) is not None


def test_the_order_of_keys_counts_and_that_of_attributes_does_not() -> None:
    assert difference({"a": 1, "b": 2}, {"b": 2, "a": 1}) == "the order of its keys: 'a' against 'b'"
    one, other = SimpleNamespace(a=1, b=2), SimpleNamespace(b=2, a=1)
    assert difference(one, other) is None


def test_whether_lists_are_shared_does_not_count() -> None:
    shared = [1]
    assert difference([shared, shared], [[1], [1]]) is None
    assert difference((Point(shared), shared), (Point([1]), [1])) is None  # type: ignore[arg-type]  # any object will do


def test_values_that_contain_themselves_are_compared() -> None:
    def ring(end: int) -> list[Any]:
        value: list[Any] = [end]
        value.insert(0, value)
        return value

    assert difference(ring(1), ring(1)) is None
    assert difference(ring(1), ring(2)) == "item 1: 1 against 2"


def test_a_class_of_the_notebook_equals_its_exported_twin() -> None:
    def trip(module: str, miles: int) -> Any:
        return type("Trip", (), {"__module__": module, "__init__": _set_miles})(miles)

    assert difference(trip("__main__", 1), trip("pipelines.trips.v1.steps", 1)) is None
    assert difference(trip("__main__", 1), trip("pipelines.trips.v1.steps", 2)) == "attribute 'miles': 1 against 2"
    assert str(difference(trip("one", 1), trip("two", 1))).startswith("type one.Trip against two.Trip")


def test_a_twin_whose_slots_became_attributes_is_equal() -> None:
    """As of a class of the notebook that was stored by value: it is made first, and gets its slots then."""

    def trip(module: str, miles: int, **slots: tuple[str, ...]) -> Any:
        kind: Any = type("Trip", (), {"__module__": module, "__init__": _set_miles, **slots})
        kind.__slots__ = ("miles",)
        return kind(miles)

    one = trip("__main__", 1)
    assert difference(one, trip("pipelines.trips.v1.steps", 1, __slots__=("miles",))) is None
    assert (
        difference(one, trip("pipelines.trips.v1.steps", 2, __slots__=("miles",))) == "attribute 'miles': 1 against 2"
    )


def _set_miles(self: Any, miles: int) -> None:
    self.miles = miles


def test_fitted_models_are_compared_by_what_they_learned() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    X, y = np.arange(12.0).reshape(6, 2) % 5, np.array([0, 1, 0, 1, 1, 0])
    one, same, other = (linear.LogisticRegression(C=c).fit(X, y) for c in (1.0, 1.0, 2.0))
    assert difference(one, same) is None
    assert difference({"m": one}, {"m": other}) == "key 'm', attribute 'C': 1.0 against 2.0"


def test_a_figure_equals_the_png_that_the_store_gives_back() -> None:
    figure_module = pytest.importorskip("matplotlib.figure")
    from p2p.store import decode, encode

    one, other = figure_module.Figure(), figure_module.Figure(figsize=(3, 2))
    assert difference(one, decode("png", encode(one)[1])) is None
    assert difference(one, other) == "PNG of 640 x 480 against 300 x 200"


def test_what_cannot_be_pickled_is_asked_for_equality() -> None:
    import threading

    assert difference(threading.Lock(), threading.Lock()) is not None


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1.0, 1.0 + 1e-12, True),
        (1.0, 1.0 + 1e-6, False),
        (1 + 1j, 1 + (1 + 1e-13) * 1j, True),
        (float("inf"), 1.0, False),
        (float("inf"), float("-inf"), False),
        ({"a": [0.1]}, {"a": [0.1 + 1e-17]}, True),
        (5, 6, False),
        (10**12, 10**12 + 1, False),
        (np.array([1.0, np.nan, np.inf]), np.array([1.0 + 1e-13, np.nan, np.inf]), True),
        (np.array([1.0, np.nan]), np.array([1.0, 2.0]), False),
        (np.array([1.0, 1e-17]), np.array([1.0, -3e-17]), True),  # what rounding leaves of a zero
        (np.array([1e12, 0.5]), np.array([1e12, 0.7]), False),  # a small number beside a large one still counts
        (np.float32(1), np.float32(1.0000001), True),
        (np.array([1, 2]), np.array([1, 3]), False),
        (pd.DataFrame({"a": [1.0, 2.0]}), pd.DataFrame({"a": [1.0, 2.0 + 1e-12]}), True),
        (pd.DataFrame({"a": [1.0, 2.0]}), pd.DataFrame({"a": [1.0, 2.1]}), False),
        (pd.Series(["a"]), pd.Series(["b"]), False),
    ],
)
def test_a_tolerance_is_for_floating_point_numbers_only(one: object, other: object, equal: bool) -> None:
    assert (difference(one, other, tolerance=1e-9) is None) is equal
    assert difference(one, other) is not None
