"""Values for the tests of the store, each made anew on every call, and what must hold of all of them."""

from __future__ import annotations

import datetime
import decimal
from collections import Counter, OrderedDict
from typing import Any

import numpy as np
import pandas as pd

from tests.store.example_models import Aliased, OrderedTags, Point, Scores


def plain() -> dict[str, Any]:
    deep: list[Any] = []
    for _ in range(100):
        deep = [deep]
    return {
        "text": "Zürich \u2028 \x00",
        "whole": 2**200,
        "empty": [{}, []],
        "none": None,
        "order": {"b": 1, "a": 2},
        "floats": [0.1, -0.0, 1e308, float("inf"), float("-inf"), float("nan")],
        "kinds": [1, 1.0, True],
        "deep": deep,
    }


def models() -> dict[str, Any]:
    day = datetime.date(2026, 1, 2)
    full = Scores(auc=0.8, when=day, notes=["é"], nested=Scores(auc=0.1, when=day, notes=[], nested=None))
    return {"nested": full, "aliased": Aliased(Month=3)}


def arrays() -> dict[str, Any]:
    structured = np.dtype([("a", "i1"), ("b", "f8")], align=True)
    return {
        "ints": np.arange(6).reshape(2, 3),
        "floats": np.array([1.5, -0.0, np.nan, np.inf]),
        "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "strided": np.arange(10)[::3],
        "zero dimensions": np.array(3.5),
        "empty": np.empty((0, 4), dtype="f4"),
        "big endian": np.array([1, 2], dtype=">i4"),
        "structured": np.array([(1, 2.0), (3, 4.0)], dtype=structured),
        "times": np.array(["2026-01-01", "NaT"], dtype="M8[s]"),
        "text": np.array(["a", "ßß"]),
        "complex": np.array([1 + 2j]),
        "read only": _read_only(),
        "float64": np.float64(0.1),
        "nan": np.float32("nan"),
        "int8": np.int8(-3),
        "bool_": np.bool_(True),
        "datetime64": np.datetime64("2026-01-01", "us"),
        "str_": np.str_("x"),
    }


def _read_only() -> Any:
    array = np.arange(3)
    array.flags.writeable = False
    return array


def frames() -> dict[str, Any]:
    made = {f"column {name}": column.to_frame("c") for name, column in series().items()}
    made |= {f"index {name}": pd.DataFrame({"v": range(len(index))}, index=index) for name, index in indexes().items()}
    return made | {
        "mixed": pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": [0.5, np.nan], "d": [True, False]}),
        "no rows": pd.DataFrame({"a": pd.Series([], dtype="int8"), "b": pd.Series([], dtype="str")}),
        "no columns": pd.DataFrame(index=[3, 4]),
        "nothing": pd.DataFrame(),
        "matrix": pd.DataFrame(np.arange(6.0).reshape(2, 3)),
        "int columns": pd.DataFrame([[1, 2]], columns=[7, 3]),
        "named columns": pd.DataFrame([[1, 2]], columns=pd.Index(["a", "b"], name="field")),
        "object columns": pd.DataFrame([[1, 2]], columns=pd.Index(["a", "b"], dtype=object)),
        "odd names": pd.DataFrame([[1, 2, 3]], columns=["", "a.b", "__index_0__"], index=pd.Index([5])),
        "attrs": _with_attrs(),
    }


def _with_attrs() -> Any:
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["source"] = "survey"
    return frame


def series() -> dict[str, Any]:
    day = datetime.date(2026, 1, 2)
    numbers = {kind: pd.Series([0, 1, 100], dtype=kind) for kind in ("int8", "uint8", "int32", "uint64", "float32")}
    masked = {kind: pd.Series([0, None, 1], dtype=kind) for kind in ("Int8", "UInt64", "Float64", "boolean")}
    arrow = {kind: pd.Series([0, None, 1], dtype=f"{kind}[pyarrow]") for kind in ("int64", "float", "bool")}
    times = pd.Series(["2026-01-01", None, "2026-07-01T12:00:00.123"], dtype="datetime64[ms]")
    return {
        **numbers,
        **masked,
        **{f"arrow {kind}": column for kind, column in arrow.items()},
        "bool": pd.Series([True, False]),
        "nan and -0.0": pd.Series([np.nan, -0.0, 0.0, np.inf]),
        "str": pd.Series(["a", None, "ß"], dtype="str"),
        "string": pd.Series(["a", None, "ß"], dtype="string"),
        "str in python": pd.Series(["a", None], dtype=pd.StringDtype("python", na_value=np.nan)),
        "seconds": times.astype("datetime64[s]"),
        "milliseconds": times,
        "microseconds": times.astype("datetime64[us]"),
        "nanoseconds": times.astype("datetime64[ns]"),
        "zone": times.dt.tz_localize("Europe/Berlin"),
        "utc": times.dt.tz_localize("UTC"),
        "seconds with zone": times.astype("datetime64[s]").dt.tz_localize("Asia/Tokyo"),
        "spans": pd.Series([pd.Timedelta("1s"), pd.NaT, pd.Timedelta("2D")]),
        "categories": pd.Series(pd.Categorical(["b", None, "a"], categories=["b", "a", "unused"])),
        "ordered": pd.Series(pd.Categorical([3, 1], categories=[3, 2, 1], ordered=True)),
        "days as categories": pd.Series(pd.Categorical(pd.to_datetime(["2026-01-01", "2026-01-02"]))),
        "objects: text": pd.Series(["a", None, "b"], dtype=object),
        "objects: text and nan": pd.Series(["a", np.nan], dtype=object),
        "objects: text and NA": pd.Series(["a", pd.NA], dtype=object),
        "objects: dates": pd.Series([day, None], dtype=object),
        "objects: decimals": pd.Series([decimal.Decimal("1.0"), decimal.Decimal("2.000"), None], dtype=object),
        "objects: bools": pd.Series([True, None, False], dtype=object),
        "objects: all None": pd.Series([None, None], dtype=object),
        "objects: all nan": pd.Series([np.nan, np.nan], dtype=object),
        "objects: none at all": pd.Series([], dtype=object),
    }


def indexes() -> dict[str, Any]:
    days = pd.date_range("2026-01-01", periods=3, freq="D")
    return {
        "range": pd.RangeIndex(5, 11, 2, name="n"),
        "ints": pd.Index([3, 1, 1]),
        "text": pd.Index(["x", "y"], name="key"),
        "objects": pd.Index(["x", "y"], dtype=object),
        "days with freq": days,
        "days without": pd.DatetimeIndex(["2026-01-05", "2026-01-01"], name=0),
        "months": pd.date_range("2026-01-01", periods=2, freq="MS", tz="Europe/Berlin"),
        "spans": pd.to_timedelta(["1s", "2s"]),
        "categories": pd.CategoricalIndex(["a", "b"], categories=["b", "a", "c"]),
        "levels": pd.MultiIndex.from_product([["b", "a"], [2, 1]], names=["one", None]),
        "levels of days": pd.MultiIndex.from_arrays([days, pd.Index([1, 2, 3], dtype="int8")]),
        "levels of objects": pd.MultiIndex.from_arrays([pd.Index(["x", "y"], dtype=object), [1.5, np.nan]]),
    }


def pickled() -> dict[str, Any]:
    words = ["alpha", "beta", "gamma", "delta", "epsilon"]
    tags = OrderedTags(words)
    tags.label = "greek"
    shared = [1]
    return {
        "tuple": (1, "a", (2.5, None), b"bytes"),
        "set": set(words),
        "mixed set": {1, "a", (2, "b"), None, frozenset(words), 2.5},
        "sets in a dict": {word: {word, "x", "y"} for word in words},
        "set subclass": tags,
        "dataclass": Point(1, set(words)),
        "counter": Counter(words),
        "ordered": OrderedDict(b=1, a=2),
        "int keys": {1: "a", None: "b"},
        "shared": [shared, shared],
        "huge int": 10**5_000,
        "lone surrogate": "\ud800",
        "frames": (pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), pd.Series([1.5], name="y")),
        "objects in a frame": pd.DataFrame({"a": [[1], {"b": {*words}}], "b": ["x", 1], "c": ["p", "q"]}),
        "several missing": pd.Series(["a", None, np.nan], dtype=object),
        "levels as columns": pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")])),
        "double columns": pd.DataFrame([[1, 2]], columns=["a", "a"]),
        "periods": pd.Series(pd.period_range("2026-01", periods=2, freq="M")),
        "intervals": pd.cut(pd.Series([1, 5, 9]), 2),
        "object array": np.array([{"a": 1}, None, "x"], dtype=object),
        "arrays": [np.arange(4)[::2], np.asfortranarray(np.ones((2, 3))), np.float64(1.5)],
        "ufunc": [np.log],
    }


def everything() -> dict[str, Any]:
    kinds = (("json", plain()), ("pydantic", models()), ("npy", arrays()), ("arrow", frames() | series()))
    named = {f"{kind}: {name}": value for kind, values in kinds for name, value in values.items()}
    return named | {f"pickle: {name}": value for name, value in pickled().items()}
