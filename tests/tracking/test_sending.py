"""Sending a run to MLflow's store, where that is not as it was when it was last looked at."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from p2p.settings import Settings
from p2p.tracking import mlstore
from p2p.tracking.driver import Driver, RunFacts
from p2p.tracking.sending import Sender, sending

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


class NoSidecar:
    """Nobody else sends the run."""

    def open(self, key: str, *, renews: bool) -> None: ...


def opened(settings: Settings) -> Driver:
    driver = Driver(settings, RunFacts(name="sales", run_kind="module"), beside=NoSidecar())  # type: ignore[arg-type]  # all that it is asked here
    driver.open()
    return driver


def send(settings: Settings, driver: Driver) -> Sender:
    with sending(settings, driver.directory, own=True) as sender:
        assert sender is not None
        sender.begin()
        return sender


def test_an_experiment_that_was_removed_for_good_is_made_again(settings: Settings) -> None:
    """Its id is asked for once; a run that MLflow does not take for that is taken the next time."""
    first, second = opened(settings), opened(settings)
    experiment = send(settings, first).sent.experiment
    with contextlib.closing(sqlite3.connect(settings.root / "mlruns" / "mlflow.db")) as database, database:
        for table in ("tags", "runs", "experiments"):
            where = "" if table == "tags" else f" WHERE experiment_id = {experiment}"
            database.execute(f"DELETE FROM {table}{where}")
    with pytest.raises(Exception, match="No Experiment with id"):
        send(settings, second)
    again = send(settings, second).sent
    found = mlstore.connect(settings).get_run(again.run_id)
    assert found.info.experiment_id == again.experiment
    assert mlstore.connect(settings).get_experiment(again.experiment).name == "sales"
