"""Values that are never stored, and how they say where and why."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from p2p.errors import StoreError
from p2p.store import decode, encode
from tests.store.example_models import Login, Loose, Point


def reason_of(value: Any) -> str:
    ref, data = encode(value)
    assert (ref.codec, ref.digest, data) == (None, None, b"")
    return ref.reason


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (threading, "value: module 'threading' is code, not a value"),
        (reason_of, "value: 'reason_of' is code (a function or class), not a value"),
        (Point, "value: 'Point' is code (a function or class), not a value"),
        ((n for n in ()), "value: a generator can be read only once"),
        (SecretStr("x"), "value: a secret is never written down"),
    ],
)
def test_code_and_secrets_are_no_values(value: Any, reason: str) -> None:
    assert reason_of(value) == reason


def test_open_files_and_connections_are_no_values(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file:
        assert "an open file" in reason_of(file)
        assert reason_of({"log": file}).startswith("value['log']: ")
    connection = sqlite3.connect(":memory:")
    assert "sqlite3.Connection" in reason_of([connection])
    connection.close()


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": [1, 2, 3, threading.Lock()]}, "value['a'][3]: cannot pickle '_thread.lock' object"),
        ([Loose(anything=(threading.Lock(),))], "value[0].anything[0]: cannot pickle '_thread.lock' object"),
        ({"x": {"y": (0, threading.current_thread())}}, "value['x']['y'][1]"),
        (np.array([None, threading.Lock()], dtype=object), "value.flat[1]: cannot pickle '_thread.lock' object"),
        (Point(x=threading.Lock()), "value.x: cannot pickle '_thread.lock' object"),
        (Login(user="u", token="t"), "value.token: a secret is never written down"),
    ],
)
def test_the_reason_leads_to_the_place_inside(value: Any, place: str) -> None:
    assert reason_of(value).startswith(place)


def test_a_value_with_a_lock_that_contains_itself_still_says_where() -> None:
    value: dict[str, Any] = {}
    value["me"] = value
    value["lock"] = threading.Lock()
    assert reason_of(value) == "value['lock']: cannot pickle '_thread.lock' object"


def test_parts_of_drawings_are_no_values_wherever_they_are() -> None:
    figure_module = pytest.importorskip("matplotlib.figure")
    figure = figure_module.Figure()
    axes = figure.subplots(2)
    for value in (axes[0], axes, list(axes), {"axes": axes[0]}, (figure, axes[0])):
        assert "part of a drawing" in reason_of(value)
    assert encode(figure)[0].codec == "png"


def test_what_is_nested_too_deeply_says_so() -> None:
    value: list[Any] = []
    for _ in range(5_000):
        value = [value]
    assert "nested too deeply" in reason_of(value)
    while value:  # freed level by level: deallocation recurses too
        value = value.pop()


def test_an_object_whose_own_code_fails_is_opaque_and_raises_nothing() -> None:
    assert reason_of(_Failing()) == "value: no pickle today"


class _Failing:
    def __reduce__(self) -> Any:
        raise ValueError("no pickle today")


def test_an_unknown_codec_is_refused() -> None:
    with pytest.raises(StoreError, match="'yaml'"):
        decode("yaml", b"")
