"""The rows of the hostile-input table that tracking answers, and secrets in what steps give."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from p2p.secrets import MASK, Masker
from p2p.settings import Settings
from tests.building import write_notebook
from tests.cli.conftest import Answer
from tests.cli.conftest import p2p as p2p
from tests.journeys.workshop import Workshop
from tests.searching import files_with

row = pytest.param
SECRET = "correct-horse-<battery>"
ENVIRONMENT_SECRET = "environment-hunter2-&"
METRICS = """
    %%step fit
    import mlflow
    mlflow.log_metric("loss", float("nan"))
    mlflow.log_metric("top", float("inf"))
    fitted = 1
"""


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        row("MLFLOW_TRACKING_URI", "gopher://host/x", "gopher://host/x", id="wrong-scheme"),
        row("MLFLOW_TRACKING_URI", "javascript:alert(1)", "javascript:alert(1)", id="script"),
        row("MLFLOW_TRACKING_URI", "ftp://me:swordfish@host/x", "ftp://***@host/x", id="credentials"),
        row("MLFLOW_EXPERIMENT_NAME", "a\nb", "control characters", id="experiment-newline"),
        row("MLFLOW_EXPERIMENT_NAME", "a\x1b]0;t\x07", "control characters", id="experiment-control"),
        row("MLFLOW_EXPERIMENT_NAME", "   ", "empty", id="experiment-blank"),
    ],
)
def test_what_mlflow_could_never_use_is_refused_before_anything_starts(
    p2p: Callable[..., Answer],
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    says: str,
) -> None:
    path = write_notebook(settings.root / "notebooks" / "a.ipynb", "x = 1")
    monkeypatch.setenv(variable, value)
    done = p2p("run", str(path))
    assert done.code == 2
    assert says in done.err
    assert "swordfish" not in done.out + done.err
    assert "\x1b" not in done.err
    assert not settings.runs.exists()


def test_an_experiment_name_with_nul_is_refused(settings: Settings) -> None:
    """No environment can hold one, but a caller's settings can."""
    from dataclasses import replace

    from p2p.errors import InputRefused
    from p2p.tracking.mlstore import check_settings

    with pytest.raises(InputRefused, match="control characters"):
        check_settings(replace(settings, experiment="a\0b"))


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Settings]) -> Workshop:
    settings = make_project(tmp_path_factory.mktemp("tracked") / "project")
    environment = {"SERVICE_API_KEY": ENVIRONMENT_SECRET, "MLFLOW_EXPERIMENT_NAME": "../<script>alert(1)</script>"}
    return Workshop(settings, environment)


@pytest.fixture(scope="module")
def run(workshop: Workshop) -> dict[str, object]:
    """One run with a strange experiment, a long parameter, strange metrics and secrets in what its steps give."""
    path = workshop.write(
        "tracked", METRICS,
        "import os\nKEPT = os.environ['SERVICE_API_KEY']",
        "%%step tell\nsaid = token.get_secret_value()\nheaders = {'auth': KEPT}\n"
        "mlflow.log_param('logged', KEPT)\nmlflow.set_tag('said', 'is ' + said)",
        "%%step odd\nlone = '\\ud800'",
        "%%step fail\nraise RuntimeError(KEPT + token.get_secret_value() + str(headers))",
        params="from pydantic import SecretStr\nlong: str = ''\ntoken: SecretStr = SecretStr('none')",
    )  # fmt: skip
    done = workshop.p2p("run", str(path), "-p", f"long={'x' * 7000}", "-p", f"token={SECRET}", "--json")
    assert done.code == 1, done.err
    return {**done.answer, "shown": done.out + done.err}


def test_an_experiment_is_called_as_it_was_asked_for_and_lies_inside_the_project(
    workshop: Workshop, run: dict[str, object]
) -> None:
    """`..` and a script tag."""
    info = workshop.mlflow_run(str(run["run_id"])).info
    experiment = workshop.client.get_experiment(info.experiment_id)
    assert experiment.name == "../<script>alert(1)</script>"
    assert str(workshop.root / "mlruns") in experiment.artifact_location
    assert ".." not in experiment.artifact_location


def test_a_parameter_of_7000_characters_is_shortened_in_mlflow_and_whole_in_the_journal(
    workshop: Workshop, run: dict[str, object]
) -> None:
    kept = workshop.mlflow_run(str(run["run_id"])).data.params["long"]
    assert kept.startswith("x" * 100)
    assert len(kept) <= 6000
    assert kept != "x" * len(kept)  # it says that it was cut
    [record] = workshop.records(run_kind="notebook")
    assert record.facts["params"]["long"] == "x" * 7000


def test_nan_and_infinite_metrics_arrive(workshop: Workshop, run: dict[str, object]) -> None:
    metrics = workshop.mlflow_run(str(run["run_id"])).data.metrics
    assert math.isnan(metrics["loss"])
    assert metrics["top"] > 1e300


def test_a_lone_surrogate_in_a_value_keeps_nothing_from_arriving(workshop: Workshop, run: dict[str, object]) -> None:
    assert workshop.mlflow_run(str(run["run_id"])).info.status == "FAILED"
    assert ("odd", "") in workshop.spans(str(run["run_id"]))


@pytest.mark.parametrize("secret", [row(SECRET, id="parameter"), row(ENVIRONMENT_SECRET, id="environment")])
def test_a_secret_that_a_step_gives_or_raises_is_masked_in_every_record_of_it(
    workshop: Workshop, run: dict[str, object], secret: str
) -> None:
    """Journal, MLflow's database and artifacts, and the answer; values themselves are the user's data."""
    assert files_with(secret, below=workshop.root / "mlruns", leaving=workshop.settings.values) == []
    shown = json.dumps(run)
    assert Masker([secret]).text(shown) == shown


def test_a_secret_that_user_code_logs_arrives_masked(workshop: Workshop, run: dict[str, object]) -> None:
    data = workshop.mlflow_run(str(run["run_id"])).data
    assert (data.params["logged"], data.tags["said"]) == (MASK, f"is {MASK}")


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        row("http://me:swordfish@127.0.0.1:9/", "127.0.0.1:9", id="dead-host"),
        row("sqlite:////dev/null/no/mlflow.db", "/dev/null", id="missing-directory"),
    ],
)
def test_a_store_that_is_not_there_costs_a_warning_and_not_the_run(workshop: Workshop, uri: str, shown: str) -> None:
    path = workshop.write("dead", "%%step one\nx = 1")
    elsewhere = Workshop(workshop.settings, {"MLFLOW_TRACKING_URI": uri, "P2P_ROOT": str(workshop.root)})
    done = elsewhere.p2p("run", str(path), "--json")
    assert done.code == 0, done.err
    assert done.answer["status"] == "FINISHED"
    assert shown in done.err
    assert "swordfish" not in done.out + done.err
