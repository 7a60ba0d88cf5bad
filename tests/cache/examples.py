"""Steps for the tests of the cache; in a module of their own, because what a step is includes the helpers it uses."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import numpy as np

CALLS: list[str] = []
FACTOR = 2
UNITS = {"km": 1.0}


def helper(x: int) -> int:
    return x * FACTOR


def double(x: int) -> int:
    return helper(x)


def draws(n: int) -> list[float]:
    return [random.random() for _ in range(n)]


def draws_numpy(n: int) -> Any:
    return np.random.normal(size=n)


def seeded(n: int) -> Any:
    return np.random.default_rng(7).normal(size=n)


def unseeded(n: int) -> Any:
    return np.random.default_rng().normal(size=n)


def clock(x: int) -> float:
    return x + time.time()


def reads(path: str) -> str:
    return Path(path).read_text()


def opens(path: str) -> int:
    return len(np.genfromtxt(path))


def changes(rows: list[int]) -> int:
    rows.append(1)
    return len(rows)


def shares(n: int) -> tuple[list[int], list[int]]:
    rows = [n]
    return rows, rows


def passes_on(rows: Any) -> Any:
    return rows


def passes_on_and_wraps(rows: Any) -> tuple[Any, Any, Any]:
    return rows, rows, {"held": rows}


def pair(n: int) -> list[int]:
    return [n, n + 1]


def handle(n: int) -> Any:
    return (i for i in range(n))


def length(secret: Any) -> int:
    return len(secret.get_secret_value())


def fails(n: int) -> int:
    raise ValueError("no")


def table(n: int) -> Any:
    return np.arange(12.0).reshape(3, 4) * n


def corner(whole: Any) -> Any:
    return whole[:2, :2]


def mark(part: Any) -> Any:
    part[0, 0] = 99
    return part


def doubled(whole: Any) -> Any:
    return whole * 2


class Holder:
    """Has a part that can be changed in place."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows


def first(whole: Any) -> Any:
    return whole[0]


def named(whole: Any) -> Any:
    return whole["rows"]


def attribute(whole: Any) -> Any:
    return whole.rows


def wrapped(whole: Any) -> Any:
    return {"new": [0], "old": (whole[1], whole[0])}


def grows_and_gives_a_part(whole: Any) -> Any:
    whole.append([9])
    return whole[-1]
