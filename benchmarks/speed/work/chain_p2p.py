"""A chain in p2p: tracked, journalled and cached as every run is. `chain_p2p STEPS`, in a project's directory."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel

from benchmarks.speed.work.running import Run, outcome_of, told
from benchmarks.speed.work.tasks import increment
from benchmarks.speed.work.timing import Spent, expect, median, report, timed
from p2p import Pipeline, Task
from p2p.settings import Settings, load_settings

_ALONE = 4  # runs of one step: how long a run takes that does nothing


class Params(BaseModel):
    x0: int = 0


def chain(steps: int) -> Pipeline:
    tasks = [Task(increment, [f"x{n}"], [f"x{n + 1}"], name=f"step_{n}") for n in range(steps)]
    return Pipeline(name=f"chain_{steps}", version=1, params=Params, tasks=tasks)


@dataclass(frozen=True)
class Chain:
    """A run of a chain.

    Attributes:
        outcome: what it took until the outcome was there.
        whole: what it took until MLflow knew all of it.
        run: what its journal says.
    """

    outcome: Spent
    whole: Spent
    run: Run


def chained(pipeline: Pipeline, settings: Settings, x0: int) -> Chain:
    with ExitStack() as later:
        spent, outcome = timed(lambda: outcome_of(pipeline, settings, {"x0": x0}, later=later))
        waited, _ = timed(later.close)
    return Chain(spent, spent + waited, told(outcome, settings))


def measure(steps: int, settings: Settings, *, alone: int = _ALONE) -> dict[str, float]:
    """Seconds a step, new and known: of whole runs, without what a run of one step takes, and of the loop alone."""
    one, many = chain(1), chain(steps)
    runs = [chained(one, settings, x) for x in range(alone)]
    runs = runs[1:] or runs  # the first one loads what all need
    once, once_whole = median([run.outcome for run in runs]), median([run.whole for run in runs])
    figures = once.told("alone")
    for name, state in (("new", "done"), ("known", "cached")):
        found = chained(many, settings, 1_000_000)
        expect(found.run.outputs, {f"x{steps}": 1_000_000 + steps})
        expect(found.run.states, {state: steps})
        step, loop = (found.outcome - once) / (steps - 1), found.run.loop / steps
        # The steps run while the tracking starts, for which the run of one step waits too: that hides their time.
        figures |= {
            **replace(step, wall=max(step.wall, step.cpu, loop)).told(name), f"{name}_loop": loop,
            **((found.whole - once_whole) / (steps - 1)).told(f"{name}_whole"),
        }  # fmt: skip
    return figures


if __name__ == "__main__":
    report(**measure(int(sys.argv[1]), load_settings(Path.cwd())))
