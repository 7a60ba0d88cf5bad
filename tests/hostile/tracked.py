"""A run with a strange experiment, a long parameter, strange metrics, and secrets in what its steps give."""

from __future__ import annotations

from p2p.settings import Settings
from tests.journeys.workshop import Workshop

SECRET = "correct-horse-<battery>"
ENVIRONMENT_SECRET = "environment-hunter2-&"
METRICS = """
    %%step fit
    import mlflow
    mlflow.log_metric("loss", float("nan"))
    mlflow.log_metric("top", float("inf"))
    fitted = 1
"""


def tracked_workshop(settings: Settings) -> Workshop:
    """A project with an experiment's name and a secret in its environment."""
    environment = {"SERVICE_API_KEY": ENVIRONMENT_SECRET, "MLFLOW_EXPERIMENT_NAME": "../<script>alert(1)</script>"}
    return Workshop(settings, environment)


def run_tracked(workshop: Workshop) -> dict[str, object]:
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
