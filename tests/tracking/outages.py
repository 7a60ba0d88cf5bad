"""A run under a store that fails, and what MLflow has to know of it in the end: what its journal says, once."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from p2p.execution import Work, run_step
from p2p.session.script import driven
from p2p.settings import Settings
from p2p.tracking import Driver, RunFacts
from p2p.tracking.beside import Beside
from p2p.tracking.journal import read_events

EACH = 60  # values of each of the metrics that the run's own code logs
Act = Callable[[], object]


def nothing() -> None:
    """What a trial does where the store fails at no such moment."""


@dataclass
class Trial:
    """A run that has ended.

    Attributes:
        result: what its last step gave.
        seconds: from the moment its sidecar stood ready.
        began: the same moment, on the monotonic clock.
        warned: when it warned, and with what.
    """

    directory: Path
    result: int = 0
    seconds: float = 0.0
    began: float = 0.0
    warned: list[tuple[float, str]] = field(default_factory=list)

    @property
    def key(self) -> str:
        return self.directory.name


def trial(settings: Settings, name: str, *, middle: Act = nothing, late: Act = nothing, each: int = EACH) -> Trial:
    """A run of two steps whose own code logs with MLflow; returns when its sidecar has ended too.

    Args:
        settings: the project's.
        name: the run's, and so its experiment's.
        middle: done between its steps.
        late: done when its work is over, before it ends.
        each: how many values of each metric it logs.
    """
    import mlflow

    mlflow.set_tracking_uri(settings.tracking_uri)
    os.environ.pop("MLFLOW_EXPERIMENT_ID", None)
    seen: list[tuple[float, str]] = []
    beside = Beside(settings, lambda text: seen.append((time.monotonic(), text)))
    beside._wait(120, lambda: beside._ready)
    began = time.monotonic()
    driver = Driver(settings, RunFacts(name=name, run_kind="module", params={"month": 2}), beside=beside)
    driver.open()
    driver.connect()
    made = Trial(driver.directory, began=began, warned=seen)
    with driven(driver) as services:
        first = run_step(Work(name="load", body=lambda: {"n": log("load", each)}), services).outputs
        middle()
        last = run_step(Work(name="train", body=lambda: {"sum": first["n"] + log("train", each)}), services).outputs
        made.result = last["sum"]
        late()
    made.seconds = time.monotonic() - began
    beside.close()
    beside._process.wait(60)
    return made


def log(step: str, each: int) -> int:
    """What a user's step may log; gives a number."""
    import mlflow

    with mlflow.start_run():
        for number in range(each):
            mlflow.log_metric(f"{step}_loss", 1 / (number + 1), step=number)
        mlflow.log_param(f"{step}_depth", 3)
        mlflow.set_tag(f"{step}_owner", "me")
        mlflow.log_text(f"hello from {step}", f"notes/{step}.txt")
    return each


def known_once(settings: Settings, directory: Path) -> None:
    """Assert that MLflow has the run just as its journal has it, and has it once."""
    import mlflow

    events = read_events(directory)
    opened, end = events[0], next(e for e in events if e["kind"] == "run_finished")
    mlflow.set_tracking_uri(settings.tracking_uri)
    client = mlflow.MlflowClient(settings.tracking_uri)
    experiment = client.get_experiment_by_name(opened["name"])
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], f"tags.`p2p.run` = '{directory.name}'")
    assert len(runs) == 1, "one run for a key"
    run = runs[0]
    assert (run.info.status, run.info.end_time) == (end["status"], end["at"] // 1_000_000)
    run_id = run.info.run_id
    assert histories(client, run_id, run.data.metrics) == metrics_of(events)
    assert dict(run.data.params) == params_of(events)
    assert {name: run.data.tags.get(name) for name in tags_of(events)} == tags_of(events)
    assert artifacts(client, run_id) == {"environment.json", *artifacts_of(events)}
    traces = client.search_traces(locations=[experiment.experiment_id], run_id=run_id)
    assert [sorted(span.name for span in trace.data.spans) for trace in traces] == [spans_of(events)]


Point = tuple[str, int, float, int]


def metrics_of(events: list[dict[str, Any]]) -> Counter[Point]:
    """All values of all metrics: name, step, value, time."""
    found: Counter[Point] = Counter()
    for event in events:
        if event["kind"] == "logged":
            found.update((m["key"], m["step"], m["value"], m["timestamp"]) for m in event.get("metrics", ()))
        elif event["kind"] == "step_finished":
            step, at = event["step"], event["at"] // 1_000_000
            size = float(sum(ref["nbytes"] for ref in event["outputs"].values()))
            facts = {"seconds": event["seconds"], "attempts": float(event["attempts"]), "output_bytes": size}
            found.update((f"{step}/{name}", 0, value, at) for name, value in facts.items())
    return found


def histories(client: Any, run_id: str, names: Any) -> Counter[Point]:
    return Counter(
        (m.key, m.step, m.value, m.timestamp) for name in names for m in client.get_metric_history(run_id, name)
    )


def params_of(events: list[dict[str, Any]]) -> dict[str, str]:
    logged = {p["key"]: p["value"] for e in events if e["kind"] == "logged" for p in e.get("params", ())}
    return {**{name: str(value) for name, value in events[0]["params"].items()}, **logged}


def tags_of(events: list[dict[str, Any]]) -> dict[str, str]:
    return {t["key"]: t["value"] for e in events if e["kind"] == "logged" for t in e.get("tags", ())}


def artifacts_of(events: list[dict[str, Any]]) -> set[str]:
    return {f"{e['folder']}/{Path(e['path']).name}".lstrip("/") for e in events if e["kind"] == "artifact"}


def artifacts(client: Any, run_id: str) -> set[str]:
    tops = client.list_artifacts(run_id)
    inside = [file for top in tops if top.is_dir for file in client.list_artifacts(run_id, top.path)]
    return {file.path for file in [*tops, *inside] if not file.is_dir}


def spans_of(events: list[dict[str, Any]]) -> list[str]:
    return sorted([events[0]["name"], *(e["step"] for e in events if e["kind"] == "step_started")])


@contextlib.contextmanager
def locked(database: Path, how: str) -> Iterator[None]:
    """Hold the database: `IMMEDIATE` keeps writers out, `EXCLUSIVE` readers too (without write-ahead logging)."""
    with contextlib.closing(sqlite3.connect(database, timeout=30, check_same_thread=False)) as connection:
        connection.isolation_level = None
        if how == "EXCLUSIVE":
            connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute(f"BEGIN {how}")
        yield
        connection.execute("ROLLBACK")


def in_fork(work: Act) -> int:
    """Do it in a process of its own, which has imported what this one has; gives the child's pid."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:  # a fork must not come back to the tests
            traceback.print_exc()
        os._exit(code)
    return child


def ended_well(child: int) -> bool:
    """Whether the child, which this waits for, did all it had to."""
    return os.waitpid(child, 0)[1] == 0
