"""A project with a long past: every copied run is a run of its own, to p2p and to MLflow."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.speed.history import grow
from benchmarks.speed.work.running import ran
from benchmarks.speed.work.tiny import PIPELINE
from p2p.model import RunStatus
from p2p.settings import Settings
from p2p.store import Ledger
from p2p.store.collecting import damage, stored_files
from p2p.tracking import find_run, read_events
from p2p.tracking.reaper import Swept, sweep
from p2p.upkeep import PastRuns

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
RUNS = 6


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Settings]) -> Settings:
    """A project whose one run has become six."""
    settings = make_project(tmp_path_factory.mktemp("grown") / "project")
    ran(PIPELINE, settings, {"i": 3})
    grow(settings, RUNS)
    return settings


def test_copies_are_runs_of_their_own(grown: Settings) -> None:
    runs = list(PastRuns(grown).having())
    assert [(run.name, run.status) for run in runs] == [("tiny", RunStatus.FINISHED)] * RUNS
    assert len({run.run_id for run in runs}) == len({run.at for run in runs}) == RUNS
    assert [run.at for run in runs] == sorted((run.at for run in runs), reverse=True)
    assert find_run(grown.runs, runs[-1].run_id).key == runs[-1].key
    assert len(read_events(grown.runs / runs[0].key)) == len(read_events(grown.runs / runs[-1].key))
    assert sweep(grown) == Swept()


def test_they_have_values_and_cached_results_of_their_own(grown: Settings) -> None:
    files = list(stored_files(grown.values))
    assert len(files) == 2 * RUNS  # a list, and the states of the random generators
    assert not any(damage(file) for file in files)
    assert len(list(Ledger(grown.cache).entries())) == 3 * RUNS


def test_mlflow_knows_each_of_them(grown: Settings) -> None:
    with contextlib.closing(sqlite3.connect(grown.tracking_uri.removeprefix("sqlite:///"))) as database:
        told = {run for (run,) in database.execute("SELECT run_uuid FROM runs WHERE status = 'FINISHED'")}
        assert told == {run.run_id for run in PastRuns(grown).having()}
        for table, of_each in (("params", 1), ("spans", 4), ("trace_info", 1)):
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (of_each * RUNS,)
