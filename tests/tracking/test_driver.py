"""A run as MLflow's own searches find it. Each module-wide run is made once: a store costs seconds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from p2p.execution import Services, Work, run_step
from p2p.model import RunStatus
from p2p.policy import Policy
from p2p.session.script import driven
from p2p.settings import Settings
from p2p.tracking import Driver, RunFacts, mlstore

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

FACTS = RunFacts(name="flights", run_kind="module", source="pipelines/flights/v3", version=3, git_commit="c0ffee",
                 params={"month": 2, "title": "a: b"}, tags={"team": "blue"}, packages={"numpy": "2"})  # fmt: skip


def work(services: Services) -> None:
    import pandas

    tries: list[int] = []

    def inner() -> dict[str, Any]:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("not yet")
        return {"n": 1}

    def load() -> dict[str, Any]:
        run_step(Work(name="fetch", body=inner, policy=Policy(retries=1, backoff=0)), services)
        return {"flights": pandas.DataFrame({"delay": [1.5, 2.5, 3.5]})}

    run_step(Work(name="load", body=load), services)
    report = services.directory
    assert report is not None
    (report / "report.txt").write_text("fine")
    services.events.append("artifact", path="report.txt")
    services.events.append("artifact", path="gone.txt")
    run_step(Work(name="train", body=lambda: 1 / 0), services)


class Made:
    def __init__(self, settings: Settings, driver: Driver) -> None:
        self.settings = settings
        self.client = mlstore.connect(settings)
        self.driver = driver
        self.run = self.client.get_run(driver.run_id)

    def found(self, filter_string: str) -> bool:
        runs = self.client.search_runs([self.driver.experiment], filter_string)
        return [r.info.run_id for r in runs] == [self.driver.run_id]

    def spans(self) -> dict[str, Any]:
        import mlflow

        mlflow.set_tracking_uri(self.settings.tracking_uri)
        places = [self.driver.experiment]
        [trace] = mlflow.search_traces(run_id=self.driver.run_id, locations=places, return_type="list")
        return {span.name: span for span in trace.data.spans}


@pytest.fixture(scope="module")
def made(make_project: Callable[[Path], Settings], tmp_path_factory: pytest.TempPathFactory) -> Made:
    settings = make_project(tmp_path_factory.mktemp("driver") / "project")
    driver = Driver(settings, FACTS)
    driver.open()
    driver.connect()
    with pytest.raises(ZeroDivisionError), driven(driver) as services:
        work(services)
    return Made(settings, driver)


@pytest.mark.parametrize(
    "filter_string",
    [
        "attributes.status = 'FAILED'",
        "params.month = '2'",
        "params.title = 'a: b'",
        "metrics.`load/attempts` = 1",
        "metrics.`fetch/attempts` = 2",
        "metrics.`load/seconds` >= 0",
        "metrics.`load/flights/rows` = 3",
        "tags.`p2p.name` = 'flights'",
        "tags.`p2p.version` = '3'",
        "tags.`p2p.error` LIKE '%ZeroDivisionError%'",
        "tags.team = 'blue'",
        "tags.`mlflow.source.git.commit` = 'c0ffee'",
        "datasets.name = 'flights'",
    ],
)
def test_mlflows_own_search_finds_the_run(made: Made, filter_string: str) -> None:
    assert made.found(filter_string)
    opposite = filter_string.replace("LIKE", "=") if "LIKE" in filter_string else filter_string.replace("= ", "!= ", 1)
    assert not made.found(opposite.replace(">!=", "<"))


def test_the_run_goes_by_its_pipelines_name_and_version_and_is_complete(made: Made) -> None:
    info = made.run.info
    assert (info.run_name, info.status) == ("flights@3", "FAILED")
    assert info.end_time >= info.start_time
    assert made.run.data.tags["p2p.steps"] == "load, train"


def test_the_trace_has_a_span_for_each_step_nested_as_they_called_each_other(made: Made) -> None:
    spans = made.spans()
    assert set(spans) == {"flights@3", "load", "fetch", "train"}
    assert spans["flights@3"].parent_id is None
    assert spans["load"].parent_id == spans["train"].parent_id == spans["flights@3"].span_id
    assert spans["fetch"].parent_id == spans["load"].span_id


def test_spans_tell_attempts_exceptions_and_values(made: Made) -> None:
    spans = made.spans()
    assert spans["fetch"].get_attribute("p2p.attempts") == 2
    assert [e.attributes["exception.message"] for e in spans["fetch"].events] == ["not yet"]
    assert [e.attributes["exception.type"] for e in spans["train"].events] == ["ZeroDivisionError"]
    assert {n: s.status.status_code.value for n, s in spans.items()} == {
        "flights@3": "ERROR", "load": "OK", "fetch": "OK", "train": "ERROR",
    }  # fmt: skip
    assert spans["load"].outputs["flights"]["shape"] == [3, 1]
    assert spans["flights@3"].inputs == {"month": 2, "title": "a: b"}


def test_artifacts_and_the_environment_are_beside_the_run_inside_the_project(made: Made) -> None:
    assert {a.path for a in made.client.list_artifacts(made.driver.run_id)} == {"report.txt", "environment.json"}
    assert made.run.info.artifact_uri.startswith(made.settings.artifacts.as_uri())


def test_what_mlflow_does_not_take_does_not_keep_the_rest_from_it(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    driver = Driver(settings, FACTS)
    driver.open()
    driver.connect()
    with driven(driver) as services:
        run_step(Work(name="load", body=lambda: {"n": 1}), services)
        at = {"timestamp": 1, "step": 0}
        metrics = [{"key": "good", "value": 1.0, **at}, {"key": "no\nname", "value": 1.0, **at}]
        services.events.append("logged", metrics=metrics)
    run = mlstore.connect(settings).get_run(driver.run_id)
    assert run.info.status == "FINISHED"
    assert (run.data.metrics["load/attempts"], run.data.metrics["good"]) == (1, 1)
    assert "MLflow did not take metric 'no\\nname'" in caplog.text


def test_a_watcher_is_told_every_event(settings: Settings) -> None:
    seen: list[str] = []
    driver = Driver(settings, FACTS, watch=lambda event: seen.append(event["kind"]))
    driver.open()
    driver.connect()
    driver.journal.append("step_nothing", step="x")
    driver.end(RunStatus.FINISHED)
    assert seen == ["run_opened", "mlflow_run", "step_nothing", "run_finished"]
