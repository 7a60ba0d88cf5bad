"""Frames and texts, and the steps that they go through: the same functions for p2p and the peers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

COLUMNS = 20


def floats(nbytes: int) -> pd.DataFrame:
    """A frame of random numbers in 20 columns, about so many bytes of them, in memory once."""
    numbers = np.random.default_rng(0).random((COLUMNS, nbytes // 8 // COLUMNS)).T  # as pandas lays columns out
    return pd.DataFrame(numbers, columns=[f"c{n}" for n in range(COLUMNS)], copy=False)


def texts(count: int, prefix: str = "customer", dtype: Any = None) -> pd.Series:
    """Different texts of about 17 characters, in no order."""
    numbers = np.random.default_rng(0).permutation(count)
    return pd.Series([f"{prefix}-{number:08d}" for number in numbers], dtype=dtype)


def of_floats(rows: int) -> pd.DataFrame:
    return floats(rows * 8 * COLUMNS)


def mixed(rows: int) -> pd.DataFrame:
    """A frame of 10 columns of floats, 5 of whole numbers and 5 of texts."""
    frame = of_floats(rows)
    for place in range(10, 15):
        frame[f"c{place}"] = np.arange(rows) * place
    for place in range(15, COLUMNS):
        frame[f"c{place}"] = texts(rows, f"t{place}")
    return frame


KINDS: dict[str, Callable[[int], pd.DataFrame]] = {"floats": of_floats, "mixed": mixed}
"""Frames by what is in them, for so many rows."""


def scaled(frame: pd.DataFrame) -> pd.DataFrame:
    """Every number times two."""
    return frame * 2.0


def shifted(frame: pd.DataFrame) -> pd.DataFrame:
    """Every number plus one."""
    return frame + 1.0


def with_sum(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """The frame with one more column: the usual step of a notebook. The other columns are shared, not copied."""
    return frame.assign(**{name: frame["c0"] + frame["c1"]})
