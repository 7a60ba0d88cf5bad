"""The most memory that a large frame takes on its way through three steps. `passed_on plain|p2p floats|texts BYTES`.

The first step makes the frame, the second passes it on as it is, and the third adds a column, which copies no other.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel

from benchmarks.speed.work import frames
from benchmarks.speed.work.timing import expect, report

_DIFFERENT = 1_000_000  # texts
_TEXT_COLUMNS = 4
_TEXT = 25  # bytes of a text of 17 letters, with those that say where it ends


class Params(BaseModel):
    kind: str
    nbytes: int


def texts(nbytes: int) -> pd.DataFrame:
    """Four columns of texts, about so many bytes of them in all, in memory once."""
    rows = nbytes // _TEXT // _TEXT_COLUMNS
    known, source = frames.texts(_DIFFERENT), np.random.default_rng(0)
    columns = {f"c{n}": known.array.take(source.integers(_DIFFERENT, size=rows)) for n in range(_TEXT_COLUMNS)}
    return pd.DataFrame(columns, copy=False)


_MADE: dict[str, Callable[[int], pd.DataFrame]] = {"floats": frames.floats, "texts": texts}


def made(kind: str, nbytes: int) -> pd.DataFrame:
    return _MADE[kind](nbytes)


def passed_on(frame: pd.DataFrame) -> pd.DataFrame:
    """The same frame: the usual step that looks at it, or draws."""
    return frame


def with_column(passed: pd.DataFrame) -> pd.DataFrame:
    """The frame with one more column: whether the first is above the second."""
    return passed.assign(above=passed["c0"] > passed["c1"])


def plain(kind: str, nbytes: int) -> tuple[int, ...]:
    """The functions, one after the other; gives the last frame's shape."""
    return tuple(with_column(passed_on(made(kind, nbytes))).shape)


def by_p2p(kind: str, nbytes: int) -> tuple[int, ...]:
    """The same as a pipeline."""
    from benchmarks.speed.work.running import ran
    from p2p import Pipeline, Task
    from p2p.settings import load_settings

    tasks = [Task(made, ["kind", "nbytes"], ["frame"]), Task(passed_on, ["frame"], ["passed"]),
             Task(with_column, ["passed"], ["last"])]  # fmt: skip
    pipeline = Pipeline(name="passed_on", version=1, params=Params, tasks=tasks)
    outputs: dict[str, Any] = dict(ran(pipeline, load_settings(Path.cwd()), {"kind": kind, "nbytes": nbytes}).outputs)
    return tuple(outputs["last"].shape)


def main(how: str, kind: str, nbytes: int) -> None:
    found = {"plain": plain, "p2p": by_p2p}[how](kind, nbytes)
    columns = _TEXT_COLUMNS if kind == "texts" else frames.COLUMNS
    expect(found, (nbytes // (_TEXT if kind == "texts" else 8) // columns, columns + 1))
    report(peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
