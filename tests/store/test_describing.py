"""Shapes and previews: short, quick, and never the value's own failure."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import SecretStr

from p2p.store import describe
from p2p.store.describing import LONGEST
from tests.store import made
from tests.store.example_models import BrokenRepr, Login, Point


@pytest.mark.parametrize("name", made.everything())
def test_every_preview_is_short_text_that_a_journal_takes(name: str) -> None:
    preview = describe(made.everything()[name]).preview
    assert 0 < len(preview) <= LONGEST
    preview.encode()


@pytest.mark.parametrize(
    ("value", "kind", "shape"),
    [
        (pd.DataFrame({"a": [1, 2, 3]}), "pandas.DataFrame", (3, 1)),
        (pd.Series([1, 2]), "pandas.Series", (2,)),
        (np.zeros((2, 3, 4)), "numpy.ndarray", (2, 3, 4)),
        (np.float64(1), "numpy.float64", ()),
        ([1, 2], "builtins.list", (2,)),
        ({"a": 1}, "builtins.dict", (1,)),
        ("text", "builtins.str", ()),
        (None, "builtins.NoneType", ()),
        (Point(1), "tests.store.example_models.Point", ()),
    ],
)
def test_type_and_shape(value: Any, kind: str, shape: tuple[int, ...]) -> None:
    ref = describe(value)
    assert (ref.type, ref.shape, ref.codec) == (kind, shape, None)


def test_a_frame_shows_its_columns_types_and_first_three_rows() -> None:
    preview = describe(pd.DataFrame({"hour": [11, 22, 33, 44], "carrier": ["UA", "AA", "B6", "DL"]})).preview
    assert "4 rows x 2 columns" in preview
    assert "hour int64, carrier str" in preview
    assert "33" in preview
    assert "44" not in preview


def test_an_array_shows_dtype_shape_and_a_few_values() -> None:
    assert describe(np.arange(100.0).reshape(10, 10)).preview == (
        "ndarray(10 x 10, float64)\n[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]"
    )


def test_plain_data_shows_itself_and_large_data_is_cut() -> None:
    assert describe({"auc": 0.81, "n": [1, 2]}).preview == "{'auc': 0.81, 'n': [1, 2]}"
    assert len(describe(list(range(10**6))).preview) < 200


def test_a_broken_repr_gives_the_types_name() -> None:
    assert describe(BrokenRepr()).preview == "BrokenRepr"
    assert describe([BrokenRepr()]).preview == "[BrokenRepr]"


def test_addresses_do_not_show() -> None:
    class Anything:
        pass

    assert "0x" not in describe([Anything(), object()]).preview


@pytest.mark.parametrize(
    "value", [SecretStr("hunter2"), {"a": [SecretStr("hunter2")]}, Login(user="u", token="hunter2")]
)
def test_secrets_are_masked(value: Any) -> None:
    preview = describe(value).preview
    assert "hunter2" not in preview
    assert "**********" in preview


def test_a_secret_that_shows_itself_is_masked_all_the_same() -> None:
    class Talkative(SecretStr):
        def __repr__(self) -> str:
            return self.get_secret_value()

    assert describe(Talkative("hunter2")).preview == "'**********'"
    assert describe({"a": [Talkative("hunter2")]}).preview == "{'a': ['**********']}"


def test_previews_of_large_values_cost_little() -> None:
    big = "x" * 10_000_000
    values: list[Any] = [Point(1, set(range(10**6))), [list(range(10**5))] * 50, big, {"a": big}, 10**100_000]
    values += [pd.DataFrame(np.zeros((1000, 3000))), pd.Series([big], dtype=object)]
    start = time.perf_counter()
    for value in values:
        assert len(describe(value).preview) <= LONGEST
    assert time.perf_counter() - start < 2
