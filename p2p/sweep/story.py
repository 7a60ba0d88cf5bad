"""Running a sweep: a parent run opened, its points run side by side as runs of their own, the table kept, all ended."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from p2p.cache import Reuse
from p2p.files import write_atomic
from p2p.model import RunStatus
from p2p.secrets import Masker, environment_secrets
from p2p.settings import Settings
from p2p.sweep.crew import Crew
from p2p.sweep.points import Point, PointResult, SweepInterrupted, SweepOutcome
from p2p.sweep.results import NOTEBOOK_CHANGED, lost, result_of, with_run_id
from p2p.sweep.sources import Source
from p2p.sweep.table import as_csv
from p2p.sweep.targets import Target
from p2p.tracking import Driver, RunFacts, new_key
from p2p.tracking.beside import Beside
from p2p.tracking.driver import PartOf, warn
from p2p.tracking.facts import Surroundings, surroundings
from p2p.tracking.records import RunRecord
from p2p.tracking.sending import read_sent

TABLE: Final = "sweep.csv"
_STOPPED_WITHIN: Final = 1.6  # seconds that runs have to end when the sweep is interrupted; the sidecar ends the rest


class SweepWatch(Protocol):
    """Is told how a sweep goes."""

    def began(self, total: int, kept: int) -> None:
        """It has begun; `kept` of `total` points are done already."""
        ...

    def started(self, point: Point) -> None: ...

    def ended(self, result: PointResult) -> None: ...


class Unwatched:
    """Looks away."""

    def began(self, total: int, kept: int) -> None:
        """Nobody wants to know."""

    def started(self, point: Point) -> None:
        """Nobody wants to know."""

    def ended(self, result: PointResult) -> None:
        """Nobody wants to know."""


@dataclass(frozen=True, kw_only=True)
class Gone:
    """How far a sweep came that is gone on with.

    Attributes:
        key: its key.
        results: of its points that are FINISHED.
        begun: by point, the run that did not finish.
    """

    key: str = ""
    results: Mapping[int, PointResult] = field(default_factory=dict)
    begun: Mapping[int, RunRecord] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SweepOptions:
    """How to run a sweep.

    Attributes:
        jobs: how many points run at a time.
        keep_going: start further points when one has failed.
        cache: results of equal steps may be used.
        gone: the sweep to go on with; none when not given.
        secrets: texts to mask in the sweep's own record.
        params: what its record says of the parameters of all points.
    """

    jobs: int = 1
    keep_going: bool = False
    cache: bool = True
    gone: Gone = field(default_factory=Gone)
    secrets: frozenset[str] = frozenset()
    params: Mapping[str, Any] = field(default_factory=dict)


def run_sweep(
    target: Target, source: Source, settings: Settings, *, options: SweepOptions | None = None,
    watch: SweepWatch | None = None,
) -> SweepOutcome:  # fmt: skip
    """Run a target at each point of a source, as one parent run with a run for each point.

    Args:
        target: the notebook or pipeline.
        source: the points.
        settings: the project's.
        options: see SweepOptions.
        watch: is told how it goes.

    Raises:
        SweepInterrupted: a KeyboardInterrupt, passed on after all runs were ended as KILLED.
    """
    options = options or SweepOptions()
    around = surroundings(settings.root)
    masker = Masker([*options.secrets, *environment_secrets(os.environ)])
    beside = Beside(settings, warn)
    driver = Driver(settings, _facts(target, options, around), mask=masker.event, beside=beside)
    sweep = _Sweep(target, source, options, driver, PartOf(
        whole=driver.key, beside=beside, around=around, key="", point=0, side_by_side=options.jobs > 1,
    ), watch or Unwatched())  # fmt: skip
    try:
        driver.open()
        try:
            sweep.run()
        except BaseException as error:
            sweep.stop()
            ended = sweep.end(RunStatus.KILLED, f"{type(error).__name__}: {error}".strip(": "))
            if isinstance(error, KeyboardInterrupt):
                raise SweepInterrupted(ended) from error
            raise
        return sweep.end(sweep.status(), sweep.error)
    finally:
        target.close()
        beside.close()


def _facts(target: Target, options: SweepOptions, around: Surroundings) -> RunFacts:
    of = target.facts
    return RunFacts(
        name=of.name, run_kind="sweep", source=of.source, notebook_digest=of.digest, version=of.version,
        params=options.params, git_commit=around.git_commit, python=around.python, packages=around.packages,
        resumed_from=options.gone.key,
    )  # fmt: skip


class _Sweep:
    """A sweep at work.

    Attributes:
        error: why it stopped, where that is no failure of a point.
    """

    def __init__(
        self, target: Target, source: Source, options: SweepOptions, driver: Driver, part_of: PartOf, watch: SweepWatch
    ) -> None:
        self.error = ""
        self._failed = False
        self._target = target
        self._source = source
        self._options = options
        self._driver = driver
        self._part_of = part_of
        self._watch = watch
        self._began = time.monotonic()
        self._crew: Crew[tuple[Point, str], PointResult] = Crew(options.jobs, self._run_point)
        self._results = {number: replace(found, kept=True) for number, found in options.gone.results.items()}
        self._in_flight: dict[int, tuple[Point, str]] = {}

    def run(self) -> None:
        """Run all points, or as many as come before the first failure."""
        self._driver.journal.append("sweep_planned", target=self._target.facts.shown, **self._source.planned())
        for result in self._results.values():
            self._tell_end(result)
        self._watch.began(self._source.total, len(self._results))
        self._target.prepare()
        self._driver.connect()
        self._start_points()
        while self._crew.busy:
            self._take(*self._crew.take())
            self._start_points()
        self._crew.dismiss()

    def status(self) -> RunStatus:
        """FINISHED only when every point is."""
        done = sum(result.finished for result in self._results.values())
        return RunStatus.FINISHED if done == self._source.total and not self.error else RunStatus.FAILED

    def stop(self) -> None:
        """End the runs that are at work as KILLED, soon."""
        self._part_of.beside.hurry()
        self._crew.interrupt()
        self._target.close()
        for job, result in self._crew.left(_STOPPED_WITHIN):
            self._take(job, result)
        for point, key in list(self._in_flight.values()):
            self._take((point, key), KeyboardInterrupt())

    def end(self, status: RunStatus, error: str) -> SweepOutcome:
        """Keep the table, end the parent run, and wait a little until MLflow knows all of it."""
        self._keep_table(status, last=False)
        self._driver.end(status, **({"error": error} if error else {}))
        beside = self._part_of.beside
        interrupted = status is RunStatus.KILLED
        if not beside.all_sent(within=0.3 if interrupted else None) and beside.is_busy and not interrupted:
            warn(f"MLflow is still being told of {beside.unsent} runs, which goes on in the background.")
        return self._keep_table(status, last=True, error=error)

    def _start_points(self) -> None:
        while self._crew.busy < self._crew.size and not self._is_over():
            point = self._source.next()
            if point is None:
                return
            key = new_key()
            self._driver.journal.append("point_started", point=point.number, key=key, parameters=dict(point.shown))
            self._in_flight[point.number] = (point, key)
            self._watch.started(point)
            self._crew.give((point, key))

    def _is_over(self) -> bool:
        return bool(self.error) or (self._failed and not self._options.keep_going)

    def _run_point(self, job: tuple[Point, str]) -> PointResult:
        """One point, in a thread of its own."""
        point, key = job
        began = time.monotonic()
        reuse = Reuse(cache=self._options.cache, resumes=self._options.gone.begun.get(point.number))
        outcome = self._target.run(point, replace(self._part_of, key=key, point=point.number), reuse)
        return result_of(point, outcome, self._driver.settings.runs / key, time.monotonic() - began, self._target)

    def _take(self, job: tuple[Point, str], got: PointResult | BaseException) -> None:
        """A point has ended, whichever way."""
        point, key = job
        result = got if isinstance(got, PointResult) else lost(point, self._driver.settings.runs / key, got)
        del self._in_flight[point.number]
        self._results[point.number] = result
        self._failed = self._failed or not result.finished
        self.error = self.error or self._source.heard(point, result)
        if not result.finished:
            self.error = self.error or self._target.trouble()
        if result.error == NOTEBOOK_CHANGED:
            self.error = result.error
        self._tell_end(result)
        self._watch.ended(result)

    def _tell_end(self, result: PointResult) -> None:
        told = result.as_dict()
        self._driver.journal.append("point_finished", **told)

    def _keep_table(self, status: RunStatus, *, last: bool, error: str = "") -> SweepOutcome:
        points = tuple(with_run_id(point, self._driver.settings.runs) for point in self._all_points())
        path = self._driver.directory / TABLE
        write_atomic(path, as_csv(points), sync=False)
        if not last:
            self._driver.journal.append("artifact", path=TABLE, folder="")
            self._driver.journal.append("logged", metrics=_counts(points))
        run_id = read_sent(self._driver.directory).run_id
        return SweepOutcome(
            self._driver.key, run_id, self._target.facts.shown, status, points, time.monotonic() - self._began, path,
            self._source.best, error,
        )  # fmt: skip

    def _all_points(self) -> list[PointResult]:
        """Every point; those that have not begun say so."""
        left = {point.number: PointResult(point.number, point.shown) for point in self._source.points}
        return [result for _, result in sorted({**left, **self._results}.items())]


def _counts(points: tuple[PointResult, ...]) -> list[dict[str, Any]]:
    at = time.time_ns() // 1_000_000
    counts = {"points": len(points), "points_finished": sum(point.finished for point in points),
              "points_failed": sum(point.status is RunStatus.FAILED for point in points)}  # fmt: skip
    return [{"key": name, "value": float(n), "timestamp": at, "step": 0} for name, n in counts.items()]
