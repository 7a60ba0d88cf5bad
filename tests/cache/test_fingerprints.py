from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from p2p.cache.fingerprints import fingerprint, size


class Thing:
    pass


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "n": [1, 2, 3], "x": [0.5, 1.5, np.nan], "s": ["a", "b", "c"],
            "o": pd.Series([[1], [2], [3]], dtype=object),
            "c": pd.Categorical(["u", "v", "u"]), "t": pd.date_range("2026-01-01", periods=3),
            "z": pd.date_range("2026-01-01", periods=3, tz="UTC"), "m": pd.array([1, None, 3], dtype="Int64"),
        }
    )  # fmt: skip


def setting(row: int, column: str, value: Any) -> Callable[[pd.DataFrame], None]:
    return lambda made: made.loc.__setitem__((row, column), value)


CHANGES: list[tuple[Callable[[], Any], Callable[[Any], Any]]] = [
    (frame, setting(1, "n", 9)),
    (frame, setting(1, "x", 9.0)),
    (frame, setting(1, "s", "other")),
    (frame, setting(1, "c", "u")),
    (frame, setting(1, "t", pd.Timestamp("2027-01-01"))),
    (frame, setting(1, "z", pd.Timestamp("2027-01-01", tz="UTC"))),
    (frame, setting(1, "m", 7)),
    (frame, lambda made: made["o"].array.__setitem__(0, [9])),
    (frame, lambda made: made.insert(0, "new", 1)),
    (frame, lambda made: made.pop("n")),
    (frame, lambda made: setattr(made, "index", [7, 8, 9])),
    (frame, lambda made: setattr(made, "columns", list("abcdefgh"))),
    (lambda: frame()["x"], lambda made: made.__setitem__(0, 7.0)),
    (lambda: [3, 1, 2], lambda made: made.sort()),
    (lambda: {"a": [1]}, lambda made: made["a"].append(2)),
    (lambda: {1, 2}, lambda made: made.add(3)),
    (Thing, lambda made: setattr(made, "k", 1)),
    (lambda: np.zeros((3, 4)), lambda made: made.__setitem__((1, 1), 1)),
    (lambda: np.zeros((3, 4))[:, 1], lambda made: made.base.__setitem__((1, 1), 1)),
    (lambda: np.array(["a", None], dtype=object), lambda made: made.__setitem__(0, "b")),
    (lambda: np.array(["2026-01-01"], dtype="M8[D]"), lambda made: made.__setitem__(0, np.datetime64("2027-01-01"))),
]


@pytest.mark.filterwarnings("ignore::Warning")
@pytest.mark.parametrize("at", range(len(CHANGES)))
def test_a_change_in_place_is_seen_and_nothing_else(at: int) -> None:
    make, change = CHANGES[at]
    made = make()
    before = fingerprint(made)
    assert before is not None
    assert fingerprint(made) == before
    change(made)
    assert fingerprint(made) != before


@pytest.mark.parametrize("value", [1, 1.5, "text", None, b"", True])
def test_what_cannot_change_has_none(value: object) -> None:
    assert fingerprint(value) is None


def test_what_nobody_can_tell_has_none() -> None:
    assert fingerprint(x for x in [1]) is None
    assert fingerprint(["x" * 100] * 20 + list(range(1_000_000))) is None  # longer than is worth it


def test_the_size_is_that_of_what_is_looked_at() -> None:
    assert size(np.zeros(1000)) == 8000
    assert size(pd.DataFrame({"a": np.zeros(1000), "nbytes": np.zeros(1000)})) == 16000
    assert size(pd.Series(np.zeros(1000))) == 8000
    assert size([1, 2]) == 0
