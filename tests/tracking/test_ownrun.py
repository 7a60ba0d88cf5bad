"""What user code logs to our run goes to the journal, and from there to MLflow: at once, and whole."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

import pytest

from p2p.model import RunStatus
from p2p.settings import Settings
from p2p.tracking import Driver, RunFacts, guard, read_events
from tests.mlflowside import ended, run_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture
def driver(settings: Settings) -> Iterator[Driver]:
    import mlflow

    mlflow.set_tracking_uri(settings.tracking_uri)
    made = Driver(settings, RunFacts(name="flights", run_kind="module"))
    made.open()
    made.connect()
    guard.attach(made.own_run())
    yield made
    guard.detach()


def finish(driver: Driver) -> Any:
    guard.detach()
    driver.end(RunStatus.FINISHED)
    return ended(driver.settings, driver.run_id)


def test_everything_that_is_logged_arrives(driver: Driver, settings: Settings, tmp_path: Any) -> None:
    import mlflow
    import pandas as pd

    (tmp_path / "plot.txt").write_text("drawn")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "in.txt").write_text("inside")
    with mlflow.start_run() as active:
        assert active.info.run_id == driver.run_id
        for step in range(3):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metrics({"nan": math.nan, "acc": 0.5})
        mlflow.log_params({"depth": 3})
        mlflow.set_tag("owner", "me")
        mlflow.log_text("hello", "notes/a.txt")
        mlflow.log_artifact(str(tmp_path / "plot.txt"), "plots")
        mlflow.log_artifacts(str(tmp_path / "folder"), "tree")
        mlflow.log_artifact(str(tmp_path / "folder"), "tree2")
        mlflow.log_input(mlflow.data.from_pandas(pd.DataFrame({"a": [1]}), name="small"), context="training")
    run = finish(driver)
    client = mlflow.MlflowClient(settings.tracking_uri)
    history = client.get_metric_history(driver.run_id, "loss")
    assert [(m.step, m.value) for m in sorted(history, key=lambda m: m.step)] == [(0, 1.0), (1, 0.5), (2, 1 / 3)]
    assert math.isnan(run.data.metrics["nan"])
    assert run.data.params["depth"] == "3"
    assert run.data.tags["owner"] == "me"
    assert [(i.dataset.name, i.tags[0].value) for i in run.inputs.dataset_inputs] == [("small", "training")]
    paths = {f.path for folder in ("notes", "plots", "tree", "tree2/folder")
             for f in client.list_artifacts(driver.run_id, folder)}  # fmt: skip
    assert paths == {"notes/a.txt", "plots/plot.txt", "tree/in.txt", "tree2/folder/in.txt"}


def test_what_was_logged_can_be_read_back_in_the_same_run(driver: Driver) -> None:
    import mlflow

    mlflow.log_metric("loss", 0.25)
    assert mlflow.get_run(driver.run_id).data.metrics["loss"] == 0.25


def test_what_mlflow_would_refuse_is_refused_where_it_is_logged(driver: Driver) -> None:
    import mlflow
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException, match="Invalid"):
        mlflow.log_metric("no\nname", 1)
    mlflow.log_param("depth", 3)
    mlflow.log_param("depth", 3)
    with pytest.raises(MlflowException, match="was logged as '3' before"):
        mlflow.log_param("depth", 4)
    assert [len(e["params"]) for e in read_events(driver.directory) if e["kind"] == "logged"] == [1, 1]


def test_other_runs_go_to_the_store_itself(driver: Driver, settings: Settings) -> None:
    import mlflow

    with mlflow.start_run(), mlflow.start_run(nested=True) as child:
        mlflow.log_metric("inner", 1)
    assert run_of(settings, child.info.run_id).data.metrics == {"inner": 1.0}
    assert run_of(settings, child.info.run_id).data.tags["mlflow.parentRunId"] == driver.run_id
    assert "logged" not in [e["kind"] for e in read_events(driver.directory)]


def test_logging_without_a_store_neither_fails_nor_waits(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import mlflow

    down = Settings(settings.root, "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", down.tracking_uri)
    mlflow.set_tracking_uri(down.tracking_uri)
    driver = Driver(down, RunFacts(name="flights", run_kind="module"))
    driver.open()
    driver.connect()
    assert caplog.text.count("MLflow's store takes nothing at present") == 1
    guard.attach(driver.own_run())
    began = time.monotonic()
    with mlflow.start_run() as active:
        assert active.info.run_id == driver.run_id
        mlflow.log_metric("loss", 0.25)
        mlflow.log_text("hello", "a.txt")
    guard.detach()
    driver.end(RunStatus.FINISHED)
    assert time.monotonic() - began < 5
    assert [e["metrics"][0]["value"] for e in read_events(driver.directory) if e["kind"] == "logged"] == [0.25]
    assert settings.lease(driver.key).exists()  # so that it will be sent
    mlflow.set_tracking_uri(settings.tracking_uri)
