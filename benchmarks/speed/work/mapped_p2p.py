"""The same tasks as `step.map` on p2p's Dask engine. `mapped_p2p TASKS`, in a project's directory."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import BaseModel

from benchmarks.speed.work.running import ran
from benchmarks.speed.work.tasks import short
from benchmarks.speed.work.timing import expect, report
from p2p import Pipeline, Task, step
from p2p.settings import Settings, load_settings

brief = step(short)


class Params(BaseModel):
    tasks: int


def all_of(tasks: int) -> int:
    """How many of the results are right."""
    return sum(found == n + 1 for n, found in enumerate(brief.map(list(range(tasks)))))


PIPELINE = Pipeline(name="mapped", version=1, params=Params, tasks=[Task(all_of, ["tasks"], ["right"])])


def measure(tasks: int, settings: Settings) -> dict[str, float]:
    run = ran(PIPELINE, settings, {"tasks": tasks}, engine="dask")
    expect(run.outputs, {"right": tasks})
    return {"loop": run.loop}


if __name__ == "__main__":
    report(**measure(int(sys.argv[1]), load_settings(Path.cwd())))
