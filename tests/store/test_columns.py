"""Columns of objects and texts: which of them Arrow takes, and that those it takes have one form."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from p2p.store import by_former, difference, encode, identify
from p2p.store.arrow import ROWS
from p2p.store.columns import to_arrow
from p2p.store.encoding import decode

_SURROGATE = "\ud800"
_DAY = datetime.date(2026, 1, 2)


class Text(str):
    __slots__ = ()


def objects(*items: Any) -> pd.Series:
    array = np.empty(len(items), object)
    array[:] = items
    return pd.Series(array, dtype=object)


@pytest.mark.parametrize(
    ("items", "of", "missing"),
    [
        (("a", "b"), "str", None), (("a", None), "str", "None"), ((float("nan"), "a", -float("nan")), "str", "nan"),
        (("a", pd.NA), "str", "NA"), ((_DAY, None), "date", "None"), ((_DAY, float("nan")), "date", "nan"),
        ((True, pd.NA), "bool", "NA"), ((Decimal("1.00"), float("nan")), "decimal", "nan"),
        ((Decimal("Infinity"), None), "decimal", "None"), ((None, None), "bool", "None"), ((), "bool", None),
    ],
)  # fmt: skip
def test_objects_of_one_type_with_one_kind_of_missing_are_stored_by_arrow(
    items: tuple[Any, ...], of: str, missing: str | None
) -> None:
    ref, data = encode(objects(*items))
    assert ref.codec == "arrow"
    assert f'"of":"{of}","missing":{f"{chr(34)}{missing}{chr(34)}" if missing else "null"}'.encode() in data
    assert difference(decode("arrow", data), objects(*items)) is None


@pytest.mark.parametrize(
    "items",
    [
        ("a", 1), ("a", 1.5), ("a", None, float("nan")), ("a", pd.NA, None), ("a", pd.NaT), (pd.NaT,), ("a", Text("b")),
        (np.str_("a"),), (True, 1), (np.True_, False), ("a", np.float64("nan")), (1.5, float("nan")), (b"a",),
        (Decimal("NaN"), Decimal(1)), (Decimal("sNaN"),), (_DAY, datetime.datetime(2026, 1, 2)), (["a"], None),
        ("a", _SURROGATE), (1, None),
    ],
)  # fmt: skip
def test_other_objects_are_pickled(items: tuple[Any, ...]) -> None:
    assert identify(objects(*items)).codec == "pickle"
    assert identify(objects(*items).to_frame("x")).codec == "pickle"
    if not any(item is _SURROGATE for item in items):  # which is text, and is found out only when it is written
        assert not list(by_former(objects(*items)))


@pytest.mark.parametrize("nothing", [None, float("nan"), pd.NA])
def test_what_is_missing_among_objects_is_null_at_any_place(nothing: Any) -> None:
    items = [f"text {place}" for place in range(2 * ROWS + 1)]
    for place in (0, ROWS - 1, ROWS, 2 * ROWS):
        items[place] = nothing
    array = to_arrow(objects(*items), {"kind": "object", "of": "str"})
    assert array.to_pylist() == [item if isinstance(item, str) else None for item in items]


def stored(texts: pa.Array | pa.ChunkedArray, storage: str = "pyarrow") -> pd.Series:
    series = pd.Series(texts, dtype=pd.ArrowDtype(pa.large_string()))
    if storage == "arrow":
        return series
    kind, _, missing = storage.partition(" ")
    return series.astype(pd.StringDtype(kind, na_value=pd.NA if missing else np.nan))


@pytest.mark.parametrize("storage", ["pyarrow", "python", "pyarrow NA", "python NA", "arrow"])
@pytest.mark.parametrize("every", [1, 3, ROWS])
def test_texts_with_nulls_have_one_digest_however_they_lie(storage: str, every: int) -> None:
    items = [None if place % every == 0 else "ä" * (place % 4) for place in range(2 * ROWS + 1)]
    whole = pa.array(items, pa.large_string())
    inside = pa.array(["before", None, *items, "after", None], pa.large_string()).slice(2, len(items))
    chunks = pa.chunked_array([whole[:5], whole[5 : ROWS + 7], whole[ROWS + 7 :]])
    digest = identify(stored(whole, storage)).digest
    assert identify(stored(whole, storage)).codec == "arrow"
    assert identify(stored(inside, storage)).digest == digest
    assert identify(stored(chunks, storage)).digest == digest


@pytest.mark.parametrize("rows", [3, ROWS + 3])
def test_text_under_nulls_does_not_show_beside_nulls_with_none(rows: int) -> None:
    def texts(below: bytes) -> pd.Series:
        lengths = np.ones(rows, np.int64)
        lengths[1], lengths[rows - 1] = len(below), 0
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        valid = np.ones(rows, bool)
        valid[[1, rows - 1]] = False
        characters = b"a" + below + b"b" * (rows - 3)
        buffers = [np.packbits(valid, bitorder="little"), offsets, characters]
        return stored(pa.Array.from_buffers(pa.large_string(), rows, list(map(pa.py_buffer, buffers))), "arrow")

    assert texts(b"hidden").isna().sum() == 2
    assert encode(texts(b"hidden"))[1] == encode(texts(b""))[1]
    assert b"hidden" not in encode(texts(b"hidden"))[1]
