"""A frame through three steps, whose results p2p keeps. `cached_p2p BYTES cold|warm`."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import BaseModel

from benchmarks.speed.work.frames import floats, scaled, shifted
from benchmarks.speed.work.running import ran
from benchmarks.speed.work.timing import expect, report, timed
from p2p import Pipeline, Task
from p2p.settings import Settings, load_settings


class Params(BaseModel):
    nbytes: int


PIPELINE = Pipeline(
    name="three", version=1, params=Params,
    tasks=[Task(floats, ["nbytes"], ["frame"]), Task(scaled, ["frame"], ["larger"]),
           Task(shifted, ["larger"], ["moved"])],
)  # fmt: skip


def measure(nbytes: int, when: str, settings: Settings) -> dict[str, float]:
    whole, run = timed(lambda: ran(PIPELINE, settings, {"nbytes": nbytes}))
    expect(run.states, {"done" if when == "cold" else "cached": 3})
    return {"loop": run.loop, **whole.told("run")}


if __name__ == "__main__":
    report(**measure(int(sys.argv[1]), sys.argv[2], load_settings(Path.cwd())))
