"""Frames by what is in them, for so many rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from benchmarks.speed.work.tasks import COLUMNS, floats, mixed

if TYPE_CHECKING:
    import pandas as pd


def of_floats(rows: int) -> pd.DataFrame:
    return floats(rows * 8 * COLUMNS)


FRAMES: dict[str, Callable[[int], pd.DataFrame]] = {"floats": of_floats, "mixed": mixed}
