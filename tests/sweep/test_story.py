"""The story of a sweep on a target that is a function here: what is started, what is stopped, what is said of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from p2p.cache import Reuse
from p2p.errors import RunFailed
from p2p.model import RunStatus
from p2p.outcome import RunOutcome, outcome_of
from p2p.params import ParameterSet, read_parameters
from p2p.settings import Settings
from p2p.store import DiskStore
from p2p.sweep import Listed, Point, Request, SweepInterrupted, SweepOptions, SweepOutcome, plan, run_sweep
from p2p.sweep.points import PointResult
from p2p.sweep.targets import TargetFacts
from p2p.tracking import Driver, RunFacts, read_events
from p2p.tracking.driver import PartOf
from p2p.tracking.records import read_record

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

MAY_TAKE = 60.0  # seconds


class Called:
    """A target that calls a function at each point, in a run of its own."""

    def __init__(self, settings: Settings, work: Callable[[int], object], digest: str = "abc") -> None:
        self.facts = TargetFacts("called", "called", "notebook", "called.ipynb", "abc")
        self.parameters: ParameterSet = read_parameters("x: int = 1")
        self.interrupted: list[int] = []
        self.over = ""
        self._settings = settings
        self._work = work
        self._digest = digest

    def prepare(self) -> None:
        """Nothing."""

    def trouble(self) -> str:
        return self.over

    def close(self) -> None:
        """Nothing."""

    def run(self, point: Point, part_of: PartOf, reuse: Reuse) -> RunOutcome:
        facts = RunFacts(name="called", run_kind="notebook", notebook_digest=self._digest)
        driver = Driver(self._settings, facts, part_of=part_of)
        driver.open()
        try:
            self._work(point.shown["x"])
        except KeyboardInterrupt:
            self.interrupted.append(point.number)
            driver.end(RunStatus.KILLED)
            raise
        driver.end(RunStatus.FINISHED)
        record = read_record(driver.directory)
        return outcome_of(record, DiskStore(self._settings.values), target="called", seconds=0.0)


class Interrupting:
    """A watch that presses Ctrl-C before a point is begun, when those before it are at work."""

    def __init__(self, last: int, at_work: threading.Semaphore) -> None:
        self.last = last
        self.ends: list[int] = []
        self._at_work = at_work

    def began(self, total: int, kept: int) -> None:
        self.total = total

    def started(self, point: Point) -> None:
        if point.number == self.last:
            for _ in range(self.last - 1):
                assert self._at_work.acquire(timeout=MAY_TAKE)
            raise KeyboardInterrupt

    def ended(self, result: PointResult) -> None:
        self.ends.append(result.number)


def points(target: Called, values: str) -> Listed:
    return Listed(plan(target.parameters, Request(values={"x": values})).points)


def states(done: SweepOutcome) -> list[str | None]:
    return [point.status.value if point.status else None for point in done.points]


def test_an_interrupt_reaches_the_runs_at_work_and_ends_them(settings: Settings) -> None:
    at_work = threading.Semaphore(0)

    def spin(x: int) -> None:
        at_work.release()
        while x > 1:
            time.sleep(0.01)

    target, watch = Called(settings, spin), Interrupting(3, at_work)
    options = SweepOptions(jobs=3)
    with pytest.raises(SweepInterrupted) as stopped:
        run_sweep(target, points(target, "2,3,4,5"), settings, options=options, watch=watch)
    assert sorted(target.interrupted) == [1, 2]
    done = stopped.value.outcome
    assert (done.status, states(done)) == ("KILLED", ["KILLED", "KILLED", "KILLED", None])
    ends = [read_record(settings.runs / point.key).status for point in done.points if point.key]
    assert ends == [RunStatus.KILLED] * 2
    assert read_record(settings.runs / done.key).status is RunStatus.KILLED


@pytest.mark.soak
def test_a_failure_stops_what_has_not_begun_and_an_error_of_the_target_is_a_failure(settings: Settings) -> None:
    def work(x: int) -> None:
        if x == 2:
            raise RunFailed("the disk is full")

    target = Called(settings, work)
    done = run_sweep(target, points(target, "1,2,3"), settings)
    assert (done.status, states(done)) == ("FAILED", ["FINISHED", "FAILED", None])
    assert done.points[1].error == "the disk is full"
    told = [event for event in read_events(settings.runs / done.key) if event["kind"].startswith("point_")]
    assert [(event["kind"], event["point"]) for event in told] == [
        ("point_started", 1), ("point_finished", 1), ("point_started", 2), ("point_finished", 2),
    ]  # fmt: skip


def test_a_notebook_that_changes_while_it_is_swept_ends_the_sweep_whatever_is_asked(settings: Settings) -> None:
    target = Called(settings, lambda _x: None, digest="another")
    done = run_sweep(target, points(target, "1,2,3"), settings, options=SweepOptions(keep_going=True))
    assert (done.status, states(done)) == ("FAILED", ["FAILED", None, None])
    assert "the notebook was changed" in done.error


def test_no_other_point_is_started_where_none_can_run_whatever_is_asked(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("P2P_TRACKING_PATIENCE", "0.5")  # the target leaves a run open, of which MLflow hears no end

    def work(x: int) -> None:
        target.over = "the cluster is gone"
        if x == 2:
            raise RunFailed("lost")

    target = Called(settings, work)
    options = SweepOptions(keep_going=True)
    done = run_sweep(target, points(target, "1"), settings, options=options)
    assert (done.status, done.error) == ("FINISHED", ""), "nothing that it ran was lost"
    done = run_sweep(target, points(target, "2,3"), settings, options=options)
    assert (done.status, states(done), done.error) == ("FAILED", ["FAILED", None], "the cluster is gone")
