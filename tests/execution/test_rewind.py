from __future__ import annotations

import collections
import random
from typing import Any

import numpy as np
import pandas as pd
import pytest

from p2p.execution.rewind import Rewind, copied


class Box:
    def __init__(self, content: Any) -> None:
        self.content = content


class Odd:
    """An object that Python copies in a way of its own."""

    def __init__(self, x: int) -> None:
        self.x = x

    def __reduce__(self) -> Any:
        return Odd, (self.x,)


def change(value: Any) -> None:
    match value:
        case list() | collections.deque() | bytearray():
            value.append(9)
        case collections.Counter() | dict():
            value["new"] = 1
        case set():
            value.add("new")
        case np.ndarray():
            value[0] = 99
        case pd.DataFrame():
            value["new"] = 1
            value.loc[0, "n"] = 99
        case pd.Series():
            value[0] = 99
        case Box():
            value.content.append(9)
            value.more = 1  # type: ignore[attr-defined]  # any object takes it


@pytest.mark.parametrize(
    "value",
    [
        [1, [2]], {"a": [1]}, {1, 2}, bytearray(b"ab"), collections.deque([1]), collections.Counter("aab"),
        collections.defaultdict(list, a=[1]), np.arange(3), pd.DataFrame({"n": [1, 2], "o": [[1], "x"]}),
        pd.Series([1, 2]), Box([1]),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_a_value_is_put_back_in_place_as_often_as_it_is_changed(value: Any) -> None:
    rewind = Rewind({"value": value, "again": (value, 1)})
    shown = [repr(value if not isinstance(value, Box) else vars(value))]
    for _ in range(2):
        change(value)
        back = rewind.back()
        assert back["value"] is value
        assert back["again"][0] is value
        shown.append(repr(value if not isinstance(value, Box) else vars(value)))
    assert len(set(shown)) == 1
    assert rewind.missed == []


def test_objects_inside_stay_the_same_objects() -> None:
    inner = [1]
    outer = {"inner": inner, "frame": pd.DataFrame({"o": [inner]})}
    rewind = Rewind({"outer": outer, "inner": inner})
    inner.append(2)
    outer["inner"] = None  # type: ignore[assignment]  # what a step may do
    rewind.back()
    assert inner == [1]
    assert outer["inner"] is inner
    assert outer["frame"]["o"][0] == [1]


def test_what_python_cannot_put_back_in_place_is_replaced_by_a_copy() -> None:
    odd = Odd(1)
    rewind = Rewind({"odd": odd})
    odd.x = 5
    back = rewind.back()["odd"]
    assert (back is odd, back.x) == (False, 1)
    back.x = 7
    assert rewind.back()["odd"].x == 1


def test_what_cannot_be_copied_is_named_and_the_rest_put_back() -> None:
    rows = [1]
    rewind = Rewind({"rows": rows, "lines": [rows, (n for n in range(3))], "more": {"rows": rows}})
    rows.append(2)
    back = rewind.back()
    assert rewind.missed == ["lines"]
    assert rows == [1]
    assert back["more"]["rows"] is rows


def test_the_global_random_generators_go_back_to_where_they_stood() -> None:
    rewind = Rewind({})
    first = (random.random(), np.random.rand())
    rewind.back()
    assert (random.random(), np.random.rand()) == first


def test_objects_in_a_frame_s_columns_are_copied_too() -> None:
    frame = pd.DataFrame({"o": [[1]]})
    series = pd.Series([[1], "x"])
    made, other = copied(frame), copied({"s": series})["s"]
    frame["o"][0].append(2)
    series[0].append(2)
    assert made["o"][0] == [1]
    assert other[0] == [1]


class Bunch(dict[str, Any]):
    """As statsmodels and others have it: what is an item is an attribute."""

    def __init__(self, **items: Any) -> None:
        super().__init__(**items)
        self.__dict__ = self


def test_a_dict_that_is_its_own_attributes_is_copied_as_one() -> None:
    value = Bunch(rows=[1])
    rewind = Rewind({"value": value})
    value.rows.append(2)
    value.extra = 3
    back = rewind.back()["value"]
    assert (back.rows, dict(back)) == ([1], {"rows": [1]})
    back.more = 4
    assert back["more"] == 4
