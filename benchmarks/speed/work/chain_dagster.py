"""The chain in Dagster, in one process; values and events in memory or on disk. `chain_dagster memory|stored STEPS`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable

from dagster import DagsterInstance, In, Out, fs_io_manager, graph, mem_io_manager, op

from benchmarks.speed.work.tasks import increment
from benchmarks.speed.work.timing import per_step, report

_QUIET = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}


@op(ins={"x": In(int)}, out=Out(int))
def step(x):
    return increment(x)


@op(out=Out(int))
def start():
    return increment(0)


def prepared_in(instance: DagsterInstance, io_manager: object) -> Callable[[int], Callable[[], int]]:
    def prepared(steps: int) -> Callable[[], int]:
        @graph(name=f"chain_{steps}")
        def chain():
            value = start()
            for n in range(1, steps):
                value = step.alias(f"step_{n}")(value)
            return value

        job = chain.to_job(resource_defs={"io_manager": io_manager})
        last = f"step_{steps - 1}" if steps > 1 else "start"
        return lambda: job.execute_in_process(_QUIET, instance=instance).output_for_node(last)

    return prepared


def main(kind: str, steps: int) -> None:
    if kind == "memory":
        report(**per_step(prepared_in(DagsterInstance.ephemeral(), mem_io_manager), steps).told("step"))
        return
    with tempfile.TemporaryDirectory() as folder:
        stored = fs_io_manager.configured({"base_dir": folder})
        report(**per_step(prepared_in(DagsterInstance.local_temp(folder), stored), steps).told("step"))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
