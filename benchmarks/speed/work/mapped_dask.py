"""Tasks of 1 ms as bare futures of Dask, on two workers of its own. `mapped_dask TASKS`."""

from __future__ import annotations

import logging
import sys

from distributed import Client, LocalCluster

from benchmarks.speed.work.tasks import short
from benchmarks.speed.work.timing import expect, report, timed


def main(tasks: int) -> None:
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1", silence_logs=logging.ERROR
        ) as cluster,
        Client(cluster) as client,
    ):
        client.gather(client.map(short, range(-10, 0)))  # the workers import what they need
        spent, found = timed(lambda: client.gather(client.map(short, range(tasks))))
    expect(found, list(range(1, tasks + 1)))
    report(loop=spent.wall)


if __name__ == "__main__":
    main(int(sys.argv[1]))
