"""A pipeline of three steps that do next to nothing, one of which gives a value that is stored.

A project's `pipelines/tiny/v1/pipeline.py` is `PIPELINE` of this module; `CELLS` are the same steps in a notebook.
"""

from __future__ import annotations

from pydantic import BaseModel

from p2p import Pipeline, Task

CELLS = ("%%step add\nx = i + 1", "%%step several\nxs = [x] * 300", "%%step total\nt = sum(xs)")
FAILING = (CELLS[0], "%%step bad\ny = 1 / 0")


class Params(BaseModel):
    i: int = 0


def add(i: int) -> int:
    return i + 1


def several(x: int) -> list[int]:
    return [x] * 300


def total(xs: list[int]) -> int:
    return sum(xs)


PIPELINE = Pipeline(
    name="tiny", version=1, params=Params,
    tasks=[Task(add, ["i"], ["x"]), Task(several, ["x"], ["xs"]), Task(total, ["xs"], ["t"])],
)  # fmt: skip
