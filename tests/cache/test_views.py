from __future__ import annotations

import dataclasses
import pickle
import sys
import threading
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2p.cache import views
from p2p.cache.views import copies, dumped
from p2p.store import constants


def sent(values: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = pickle.loads(dumped(values, values))
    again: dict[str, Any] = pickle.loads(dumped(found, found))
    return again


WAYS = pytest.mark.parametrize("way", [copies, sent])
SLICES = st.builds(slice, st.integers(0, 3), st.integers(3, 6), st.sampled_from([1, 2]))
BACK = st.builds(slice, st.integers(4, 6), st.just(None), st.just(-1))
KINDS = st.sampled_from(["f8", "i4", "c16", "?", "S3", "M8[s]"])


@st.composite
def families(draw: st.DrawFn) -> dict[str, Any]:
    """Arrays that show parts of one memory, of any order, which may itself not be among them."""
    order = draw(st.sampled_from(["C", "F"]))
    owner = np.array(np.arange(36).reshape(6, 6).astype(draw(KINDS)), order=order)
    shown = {f"v{n}": owner[draw(SLICES | BACK), draw(SLICES)] for n in range(draw(st.integers(1, 3)))}
    shown["turned"] = owner.T[1:]
    if draw(st.booleans()):
        shown["owner"] = owner
    if draw(st.booleans()):
        shown["v0"].flags.writeable = False
    return shown


@WAYS
@given(values=families(), seed=st.integers(0, 99))
def test_copies_show_one_memory_where_the_values_do_and_share_none_with_them(way: Any, values: Any, seed: int) -> None:
    made = way(values)
    for name, value in values.items():
        assert made[name].dtype == value.dtype
        assert made[name].strides == value.strides
        assert made[name].flags.writeable == value.flags.writeable
        assert not np.shares_memory(made[name], value)
    target = sorted(n for n in values if values[n].flags.writeable and values[n].size)[0]
    place = np.unravel_index(seed % values[target].size, values[target].shape)
    values[target][place] = made[target][place] = np.zeros(1, values[target].dtype)[0]
    for name, value in values.items():
        np.testing.assert_array_equal(made[name], value)


@WAYS
def test_what_is_one_object_is_one_copy(way: Any) -> None:
    rows = [[1], [2]]
    frame = pd.DataFrame({"a": [1]})
    made = way({"rows": rows, "box": {"rows": rows[0]}, "again": rows, "frame": frame, "other": [frame]})
    assert made["rows"] is made["again"] is not rows
    assert made["box"]["rows"] is made["rows"][0] is not rows[0]
    assert made["other"][0] is made["frame"] is not frame


@WAYS
def test_a_copy_of_an_array_owns_its_memory_if_the_array_does(way: Any) -> None:
    made = way({"a": np.arange(4000.0), "held": {"b": np.ones((2, 2), order="F")}})
    assert made["a"].flags.owndata
    assert made["held"]["b"].flags.owndata
    assert made["held"]["b"].flags.f_contiguous


def test_what_cannot_be_copied_is_itself_and_the_rest_is_copied() -> None:
    lock, rows = threading.Lock(), [1]
    made = copies({"lock": lock, "rows": rows, "both": [rows, lock]})
    assert made["lock"] is lock
    assert made["rows"] == rows
    assert made["rows"] is not rows


def test_a_figure_and_its_parts_are_not_copied() -> None:
    plt = pytest.importorskip("matplotlib.pyplot", reason="an extra")
    figure, axes = plt.subplots(1, 2)
    try:
        made = copies({"figure": figure, "axes": axes, "first": {"ax": axes[0]}})
        assert made["figure"] is figure
        assert made["axes"] is axes
        assert made["first"]["ax"] is axes[0]
        assert plt.get_fignums() == [figure.number]
    finally:
        plt.close(figure)


class Unit:
    """Of a library whose units are each one object."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return hash(self.name)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Any:
    module: Any = ModuleType("p2p_test_library")
    module.metre = Unit("m")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(constants, "is_installed", lambda package: True)
    monkeypatch.setattr(views, "place_of", constants.Constants().place)  # that of before may know as many modules
    return module


@WAYS
def test_a_copy_holds_the_library_s_own_constants(way: Any, library: Any) -> None:
    """As of a dataclass's field, whose `default` is asked whether it is the marker for none."""
    field = dataclasses.field(default_factory=list)
    lengths = [[1.5, library.metre]]
    made = way({"field": field, "lengths": lengths, "given": {"default": dataclasses.MISSING}})
    assert made["field"].default is dataclasses.MISSING is made["given"]["default"]
    assert made["lengths"][0][1] is library.metre
    assert made["field"] is not field
    assert made["lengths"][0] is not lengths[0]


@WAYS
def test_what_a_library_has_and_can_be_changed_is_copied(way: Any, library: Any) -> None:
    library.frame, library.numbers = pd.DataFrame({"a": [1]}), np.arange(3)
    library.random, library.settings = np.random.RandomState(1), SimpleNamespace(size=1)
    names = ("frame", "numbers", "random", "settings")
    made = way({name: getattr(library, name) for name in names})
    assert not [name for name in names if made[name] is getattr(library, name)]


@WAYS
def test_a_constant_that_is_nowhere_in_a_library_is_copied(way: Any) -> None:
    """A worker would not find it: no copy says that it is the same there."""
    mine = object()
    assert way({"mine": mine})["mine"] is not mine
