"""A chain in p2p: tracked, journalled and cached as every run is. `chain_p2p STEPS`, in a project's directory."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import BaseModel

from benchmarks.speed.work.running import ran
from benchmarks.speed.work.tasks import increment
from benchmarks.speed.work.timing import expect, median, report, timed
from p2p import Pipeline, Task
from p2p.settings import Settings, load_settings

_ALONE = 4  # runs of one step: how long a run takes that does nothing


class Params(BaseModel):
    x0: int = 0


def chain(steps: int) -> Pipeline:
    tasks = [Task(increment, [f"x{n}"], [f"x{n + 1}"], name=f"step_{n}") for n in range(steps)]
    return Pipeline(name=f"chain_{steps}", version=1, params=Params, tasks=tasks)


def measure(steps: int, settings: Settings, *, alone: int = _ALONE) -> dict[str, float]:
    """Seconds a step, new and known: of whole runs, without what a run of one step takes, and of the loop alone."""
    one, many = chain(1), chain(steps)
    runs = [timed(lambda x=x: ran(one, settings, {"x0": x}))[0] for x in range(alone)]
    once = median(runs[1:] or runs)  # the first one loads what all need
    figures = once.told("alone")
    for name, state in (("new", "done"), ("known", "cached")):
        whole, run = timed(lambda: ran(many, settings, {"x0": 1_000_000}))
        expect(run.outputs, {f"x{steps}": 1_000_000 + steps})
        expect(run.states, {state: steps})
        figures |= {**((whole - once) / (steps - 1)).told(name), f"{name}_loop": run.loop / steps}
    return figures


if __name__ == "__main__":
    report(**measure(int(sys.argv[1]), load_settings(Path.cwd())))
