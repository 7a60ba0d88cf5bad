"""The most memory that a frame takes on its way through five steps. `memory plain|p2p BYTES`.

The first step makes the frame; each of the four others adds a column and passes the rest on as it is.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from benchmarks.speed.work.frames import COLUMNS, floats, with_sum
from benchmarks.speed.work.timing import expect, report

_MORE = ("sum_1", "sum_2", "sum_3", "sum_4")


class Params(BaseModel):
    nbytes: int
    sum_1: str = "sum_1"
    sum_2: str = "sum_2"
    sum_3: str = "sum_3"
    sum_4: str = "sum_4"


def plain(nbytes: int) -> tuple[int, ...]:
    """The functions, one after the other; gives the last frame's shape."""
    frame = floats(nbytes)
    for name in _MORE:
        frame = with_sum(frame, name)
    return tuple(frame.shape)


def by_p2p(nbytes: int) -> tuple[int, ...]:
    """The same as a pipeline."""
    from benchmarks.speed.work.running import ran
    from p2p import Pipeline, Task
    from p2p.settings import load_settings

    tasks = [Task(floats, ["nbytes"], ["frame_0"])]
    tasks += [
        Task(with_sum, [f"frame_{n}", name], [f"frame_{n + 1}"], name=f"add_{name}") for n, name in enumerate(_MORE)
    ]
    pipeline = Pipeline(name="memory", version=1, params=Params, tasks=tasks)
    outputs = ran(pipeline, load_settings(Path.cwd()), {"nbytes": nbytes}).outputs
    return _shape(outputs[f"frame_{len(_MORE)}"])


def _shape(output: Any) -> tuple[int, ...]:
    """Of a value as an outcome has it: its reference."""
    return tuple(output.shape if hasattr(output, "shape") else output["shape"])


def main(how: str, nbytes: int) -> None:
    found = {"plain": plain, "p2p": by_p2p}[how](nbytes)
    expect(found, (nbytes // 8 // COLUMNS, COLUMNS + len(_MORE)))
    report(peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
