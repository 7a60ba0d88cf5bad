"""The chain in Kedro: one process, values in memory. `chain_kedro STEPS`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import node, pipeline
from kedro.runner import SequentialRunner

from benchmarks.speed.work.tasks import increment
from benchmarks.speed.work.timing import per_step, report


def prepared(steps: int) -> Callable[[], int]:
    made = pipeline([node(increment, f"x{n}", f"x{n + 1}", name=f"step_{n}") for n in range(steps)])

    def run() -> int:
        catalog = DataCatalog({"x0": MemoryDataset(0)})
        return SequentialRunner().run(made, catalog)[f"x{steps}"].load()

    return run


if __name__ == "__main__":
    logging.getLogger("kedro").setLevel(logging.ERROR)  # else most of its time goes into coloured lines
    report(**per_step(prepared, int(sys.argv[1])).told("step"))
