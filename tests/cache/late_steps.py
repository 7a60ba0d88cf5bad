"""Steps of pipelines for the tests of results that are loaded late."""

from __future__ import annotations

import random
import time
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel


class Params(BaseModel):
    n: int = 3


def frame(n: int) -> pd.DataFrame:
    return pd.DataFrame({"a": np.arange(float(n)), "b": ["x"] * n})


def scaled(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(a=table["a"] * 2.0)


def total(table: pd.DataFrame) -> float:
    return float(table["a"].sum())


def texts(n: int) -> set[str]:
    return {str(k) for k in range(n)}


def rows(n: int) -> list[list[int]]:
    return [[k] for k in range(n)]


def itself(given: list[Any]) -> list[Any]:
    return given


def pair(n: int) -> tuple[int, int]:
    return n, n + 1


def wrapped(given: list[Any]) -> dict[str, Any]:
    return {"held": given}


def first(given: list[Any]) -> Any:
    return given[0]


def two(n: int) -> tuple[list[int], list[int]]:
    one = [n]
    return one, one


def grow(given: list[Any]) -> int:
    given.append(99)
    return len(given)


def size(given: Any) -> int:
    return len(given)


def both(one: Any, other: Any) -> list[Any]:
    return [one, other]


def drawn(n: int) -> list[float]:
    return [random.random() for _ in range(n)]


def now(n: int) -> list[float]:
    return [time.time()] * n


def doubled(item: list[int]) -> list[int]:
    return item * 2


def array(n: int) -> Any:
    return np.arange(float(n))
