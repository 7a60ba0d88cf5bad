"""Past runs as objects, over real runs of a pipeline and a script."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

import p2p
from p2p import Pipeline, Task
from p2p.errors import InputRefused, StoreError, TargetError
from p2p.history import PastStep, Summaries, runs
from p2p.model import StepRecord, StepState
from p2p.params import ParameterSet
from p2p.runners.local import run_pipeline
from p2p.settings import Settings
from p2p.store import DiskStore

HOSTILE = "<img src=x onerror=alert(1)>"
REPOSITORY = Path(__file__).resolve().parents[2]
MAKE = """
import json, sys
from p2p.settings import load_settings
from tests.history.test_history import ran
for given in json.loads(sys.argv[1]):
    ran(load_settings(), **given)
"""


class Params(BaseModel):
    rows: int = 3
    label: str = "plain"


def load(rows: int) -> pd.DataFrame:
    return pd.DataFrame({"x": np.arange(rows, dtype=float)})


def clean(raw: pd.DataFrame, label: str) -> tuple[pd.DataFrame, float]:
    if len(raw) > 5:
        raise ValueError(f"{label}: too many")
    return raw[raw["x"] > 0], float(raw["x"].mean())


def log(mean: float) -> None:
    import mlflow

    mlflow.log_metric("double", 2 * mean)


TASKS = [Task(load, ["rows"], ["raw"]), Task(clean, ["raw", "label"], ["tidy", "mean"]), Task(log, ["mean"], [])]
PIPELINE = Pipeline(name="flights", version=2, params=Params, tasks=TASKS)


def ran(settings: Settings, **given: object) -> None:
    run_pipeline(PIPELINE, ParameterSet.of(Params).parse(given), settings)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Settings]) -> Settings:
    """A project with runs of 3 and 4 rows, and one that failed."""
    settings = make_project(tmp_path_factory.mktemp("made") / "project")
    ran_apart(settings, {"rows": 3}, {"rows": 4}, {"rows": 9, "label": HOSTILE})
    return settings


def ran_apart(settings: Settings, *given: dict[str, object]) -> None:
    """In a process of its own: in this one, other tests may have told MLflow of another store, or added packages."""
    environment = {**os.environ, "P2P_ROOT": str(settings.root), "MLFLOW_TRACKING_URI": settings.tracking_uri}
    command = [sys.executable, "-c", MAKE, json.dumps(given)]
    subprocess.run(command, cwd=REPOSITORY, env=environment, check=True)


@pytest.fixture
def three(made: Settings, settings: Settings) -> Settings:
    """A copy of that project, for one test."""
    shutil.rmtree(settings.mlruns)
    shutil.copytree(made.mlruns, settings.mlruns)
    return settings


def test_a_value_of_a_past_run_is_what_the_step_gave(three: Settings) -> None:
    run = runs("flights")[1]
    assert (run.params["rows"], run.status, run.name) == (4, "FINISHED", "flights@2")
    assert list(run) == ["load", "clean", "log"]
    pd.testing.assert_frame_equal(run["clean"]["tidy"], pd.DataFrame({"x": [1.0, 2.0, 3.0]}, index=[1, 2, 3]))
    assert run["clean"]["mean"] == 1.5
    assert len(run["clean"].inputs["raw"]) == 4
    assert run.metrics["double"] == 3.0
    assert run.seconds is not None


def test_nothing_is_read_of_a_value_before_it_is_asked_for(three: Settings) -> None:
    shutil.rmtree(three.values)
    step = runs("flights")[1]["clean"]
    assert list(step) == ["tidy", "mean"]
    assert step["mean"] == 1.5  # it stands in its reference
    with pytest.raises(StoreError, match="is not in the store"):
        step["tidy"]


def test_a_failed_run_has_what_was_made_before_it_failed(three: Settings) -> None:
    run = runs("flights")[0]
    assert (run.status, run.summary.failed_step) == ("FAILED", "clean")
    assert len(run["load"]["raw"]) == 9
    assert "too many" in run["clean"].record.error


def test_what_is_not_there_is_refused_with_the_closest_name(three: Settings) -> None:
    run = runs("flights")[1]
    with pytest.raises(InputRefused, match=r"has no step 'claen'.*Closest name: 'clean'"):
        run["claen"]
    with pytest.raises(InputRefused, match=r"has no output 'tidi'.*Closest name: 'tidy'"):
        run["clean"]["tidi"]
    assert "claen" not in run
    assert run.get("claen") is None
    with pytest.raises(IndexError, match="there are 3 runs of flights, and none at 7"):
        runs("flights")[7]


def test_runs_are_chosen_by_name_version_and_kind_and_found_by_id(three: Settings) -> None:
    with p2p.run("other"):
        pass
    assert [run.name for run in runs()] == ["other", "flights@2", "flights@2", "flights@2"]
    assert len(runs("flights@2")) == 3
    assert len(runs("flights@1")) == 0
    assert [run.name for run in runs(kind="script")] == ["other"]
    last = runs("flights")[0]
    assert runs().find(last.id[:12]) == last
    with pytest.raises(TargetError, match="No run of flights begins with 'zzz'"):
        runs("flights").find("zzz")
    with pytest.raises(TargetError, match="No run"):
        runs("flights").find("")


def test_a_comparison_tells_what_differs_and_nothing_else(three: Settings) -> None:
    failed, four, three_rows = runs("flights")
    found = three_rows.compare(four)
    assert {(d.what, d.name, d.before, d.after) for d in found.differences} >= {
        ("parameter", "rows", "3", "4"), ("metric", "double", "2", "3"), ("value", "clean.mean", "1.0", "1.5"),
    }  # fmt: skip
    assert {d.what for d in found.differences} == {"parameter", "metric", "value"}
    assert found.equal_values == 0
    assert "shape" in str(found.value("clean", "tidy")) or "rows" in str(found.value("clean", "tidy"))
    assert ("step", "clean", "done", "failed") in {(d.what, d.name, d.before, d.after)
                                                   for d in four.compare(failed).differences}  # fmt: skip
    assert four.compare(four).differences == ()
    assert four.compare(four).equal_values == 3


def test_a_run_that_used_the_cache_is_no_other_than_one_that_did_not(three: Settings) -> None:
    ran_apart(three, {"rows": 4})
    again, _, before, _ = runs("flights")
    assert [step.state.value for step in again.record.steps] == ["cached"] * 3
    assert before.compare(again).differences == ()


def test_what_people_see_has_every_fact_and_no_active_node(three: Settings) -> None:
    found = runs("flights")
    failed, four, _ = found
    for shown in (found, failed, four, failed["clean"], four["clean"], four.compare(failed)):
        page = shown._repr_html_()
        assert "<img" not in page
        assert HOSTILE not in page
        assert repr(shown)
    assert "&lt;img src=x" in failed._repr_html_()
    assert "&lt;img src=x" in four.compare(failed)._repr_html_()
    assert "3 runs of flights" in repr(found)
    assert "clean" in four._repr_html_()


def test_a_run_is_summarized_from_its_journal_once(three: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    before = [*Summaries(three).having()]
    monkeypatch.setattr("p2p.history.summaries.counting_events", lambda *_: pytest.fail("read again"))
    assert [*Summaries(three).having()] == before
    monkeypatch.undo()
    for path in (three.index / "summaries").iterdir():
        path.write_bytes(path.read_bytes().replace(b"rows", b"rowz"))  # damaged: read anew
    assert [*Summaries(three).having()] == before


def test_a_run_at_work_is_read_each_time(settings: Settings) -> None:
    with p2p.run("long", {"a": 1}):
        run = runs("long")[0]
        assert (run.status, run.seconds) == ("RUNNING", None)
        assert "RUNNING" in repr(run)
    assert runs("long")[0].status == "FINISHED"


def test_a_journal_that_is_gone_says_so(three: Settings) -> None:
    run = runs("flights")[0]
    shutil.rmtree(run.directory)
    with pytest.raises(StoreError, match="is not there any more"):
        list(run)
    assert len(runs("flights")) == 2


def test_a_damaged_journal_hides_no_other_run(three: Settings) -> None:
    path = runs("flights")[0].directory / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:40])
    assert [run.status for run in runs("flights")] == ["FAILED", "FINISHED", "FINISHED"]
    assert dict(runs("flights")[0]) == {}


def test_a_figure_of_a_past_run_is_shown_where_it_stands(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1, 1))
    figure.add_subplot().plot([1, 2])
    store = DiskStore(tmp_path / "values")
    refs = {"<delays>": store.put(figure), "count": store.put(2)}
    step = PastStep(StepRecord("draw", StepState.DONE, 0.1, 1, outputs=refs), store)
    shown = step["<delays>"]
    assert shown._repr_png_().startswith(b"\x89PNG")
    assert isinstance(shown, bytes)
    assert repr(shown).startswith("<PNG picture of ")
    page = step._repr_html_()
    assert page.count("<img") == 1
    assert '<img alt="&lt;delays&gt;"' in page
    assert "data:image/png;base64,iVBOR" in page
    shutil.rmtree(store.root)
    assert "<img" not in step._repr_html_()  # its file is gone; what is known of it is still told
