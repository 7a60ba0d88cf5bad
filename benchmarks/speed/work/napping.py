"""Steps of 50 ms, run by p2p: what is not napping. `napping STEPS`, in a project's directory.

The project's `pipelines/napping/v1/pipeline.py` is `PIPELINE` of this module.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import BaseModel

from benchmarks.speed.work.running import ran
from benchmarks.speed.work.tasks import NAP, nap
from benchmarks.speed.work.timing import expect, report, timed
from p2p import Pipeline, Task
from p2p.settings import Settings, load_settings

STEPS = 20


class Params(BaseModel):
    x0: int = 0


def napping(steps: int) -> Pipeline:
    tasks = [Task(nap, [f"x{n}"], [f"x{n + 1}"], name=f"nap_{n}") for n in range(steps)]
    return Pipeline(name="napping", version=1, params=Params, tasks=tasks)


PIPELINE = napping(STEPS)


def measure(steps: int, settings: Settings) -> dict[str, float]:
    """The parts of the loop, and of the whole run, that are not the steps' own."""
    whole, run = timed(lambda: ran(napping(steps), settings, {"x0": 0}))
    expect((run.outputs, run.states), ({f"x{steps}": steps}, {"done": steps}))
    return {"loop": share(run.loop, steps), "run": share(whole.wall, steps)}


def share(seconds: float, steps: int) -> float:
    return (seconds - steps * NAP) / seconds


if __name__ == "__main__":
    report(**measure(int(sys.argv[1]), load_settings(Path.cwd())))
