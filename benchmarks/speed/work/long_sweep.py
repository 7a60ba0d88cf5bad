"""A sweep of many points, and what its first hundred and its last hundred took. `long_sweep WHAT POINTS`.

In a project's directory; WHAT is `tiny.ipynb` or `tiny`. It is run as the command runs it, one point at a time.
"""

from __future__ import annotations

import contextlib
import sqlite3
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.speed.work.timing import expect, report
from p2p.export.targets import is_notebook, load_pipeline
from p2p.settings import Settings, load_settings
from p2p.sweep import Listed, NotebookTarget, PipelineTarget, Point, PointResult, SweepOutcome, run_sweep
from p2p.sweep.targets import Target

PART = 100
_BEGAN = time.perf_counter()
_LONGEST = 600.0  # seconds
_WARM = 10  # points before anything is looked at: imports, and what is made once


@dataclass(frozen=True)
class Look:
    """The processes of a sweep at one moment: its own, the one that runs pipelines or forks kernels, MLflow's feeder.

    Attributes:
        at: by the clock.
        cpu: seconds of processor time of all, with the processes that they have waited for.
        memory: bytes of each.
        files: descriptors that are open in each; in the feeder, some of each run that it is sending, 128 at most.
    """

    at: float
    cpu: float
    memory: dict[str, int]
    files: dict[str, int]


def look() -> Look:
    own = psutil.Process()
    found = {"own": own, "worker": own, "feeder": own}
    for child in own.children():
        with contextlib.suppress(psutil.Error):
            found["feeder" if "p2p.tracking.sidecar" in child.cmdline() else "worker"] = child
    return Look(
        at=time.perf_counter(), cpu=sum(sum(process.cpu_times()[:4]) for process in found.values()),
        memory={name: int(process.memory_full_info().uss) for name, process in found.items()},
        files={name: process.num_fds() for name, process in found.items()},
    )  # fmt: skip


class Watch:
    """Looks when the first points are done, after the next hundred, a hundred before the end, and at the end."""

    def __init__(self, points: int) -> None:
        self.looks: list[Look] = []
        self._done = 0
        self._when = (_WARM, _WARM + PART, points - PART, points)

    def began(self, total: int, kept: int) -> None:
        """All of them, none kept."""

    def started(self, point: Point) -> None:
        """It will end."""

    def ended(self, result: PointResult) -> None:
        self._done += 1
        if self._done in self._when:
            self.looks.append(look())


def measure(what: str, points: int, settings: Settings) -> dict[str, float]:
    watch = Watch(points)
    done = run_sweep(_target(what, settings), Listed(_points(points)), settings, watch=watch)
    known = _known_to_mlflow(settings)
    _check(done, points, settings)
    begun, early, late, end = watch.looks
    told = {"first": early, "last": end}
    return {
        "first": (early.at - begun.at) / PART, "first_cpu": (early.cpu - begun.cpu) / PART,
        "known_to_mlflow": known - end.at,
        "last": (end.at - late.at) / PART, "last_cpu": (end.cpu - late.cpu) / PART,
        **{f"{process}_memory_{when}": seen.memory[process] for when, seen in told.items() for process in seen.memory},
        **{f"{process}_files_{when}": seen.files[process] for when, seen in told.items() for process in seen.files},
    }  # fmt: skip


def _known_to_mlflow(settings: Settings) -> float:
    """When MLflow knew the whole of the last run, by the clock: it is told beside, and points do not wait for it."""
    while any(settings.open_runs.glob("*.json")):
        expect(time.perf_counter() < _BEGAN + _LONGEST, True)
        time.sleep(0.05)
    return time.perf_counter()


def _target(what: str, settings: Settings) -> Target:
    if is_notebook(what):
        return NotebookTarget(Path(what), settings)
    return PipelineTarget(load_pipeline(what, settings), settings)


def _points(many: int) -> Sequence[Point]:
    return [Point(n, {}, {"i": str(n)}, {"i": n}) for n in range(1, many + 1)]


def _check(done: SweepOutcome, points: int, settings: Settings) -> None:
    """All points have ended well, are in the table, and are MLflow's runs below the sweep's."""
    expect((done.status.value, [point.outputs["t"] for point in done.points]),
           ("FINISHED", [300 * (n + 1) for n in range(1, points + 1)]))  # fmt: skip
    expect(len(done.table.read_text(encoding="utf-8").splitlines()), points + 1)
    with contextlib.closing(sqlite3.connect(settings.tracking_uri.removeprefix("sqlite:///"))) as database:
        children = database.execute(
            "SELECT count(*) FROM runs JOIN tags USING (run_uuid) "
            "WHERE tags.key = 'mlflow.parentRunId' AND tags.value = ? AND runs.status = 'FINISHED'", (done.run_id,)
        )  # fmt: skip
        expect(children.fetchone()[0], points)


if __name__ == "__main__":
    report(**measure(sys.argv[1], int(sys.argv[2]), load_settings(Path.cwd())))
