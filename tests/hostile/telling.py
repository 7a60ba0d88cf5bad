"""Runs without a notebook whose steps take, give and raise secrets."""

from __future__ import annotations

import textwrap
from pathlib import Path

from pydantic import BaseModel, SecretStr

from p2p import Pipeline, Task
from p2p.outcome import RunOutcome
from p2p.params import ParameterSet
from p2p.runners import run_pipeline
from p2p.settings import Settings
from tests.journeys.workshop import Done, Workshop
from tests.searching import files_with

SECRET = "correct-horse-<battery>"
DEFAULT = 'default-swordfish-"7"'
ENVIRONMENT_SECRET = "environment-hunter2-&"
SECRETS = (SECRET, DEFAULT, ENVIRONMENT_SECRET)
SCRIPT = """
    import os
    import p2p

    @p2p.step
    def said() -> dict:
        return {"id": os.environ["SERVICE_API_KEY"]}

    @p2p.step
    def fail(headers: dict) -> None:
        raise RuntimeError(headers["id"])

    with p2p.run("nightly", {"id": os.environ["SERVICE_API_KEY"]}):
        fail(said())
"""


class Params(BaseModel):
    token: SecretStr = SecretStr("none")
    spare: SecretStr = SecretStr(DEFAULT)


def tell(token: SecretStr, spare: SecretStr) -> dict[str, str]:
    import os

    return {"id": token.get_secret_value(), "type": spare.get_secret_value(), "key": os.environ["SERVICE_API_KEY"]}


def fail(said: dict[str, str]) -> int:
    raise RuntimeError(" ".join(said.values()))


def told(said: dict[str, str]) -> dict[str, str]:
    return said


def leaks(settings: Settings) -> list[str]:
    """The files of a project's runs that hold a secret; stored values are the user's data and may."""
    return files_with(*SECRETS, below=settings.root / "mlruns", leaving=settings.values)


def run_telling(settings: Settings, last: Task) -> RunOutcome:
    tasks = [Task(tell, ["token", "spare"], ["said"]), last]
    values = ParameterSet.of(Params).parse({"token": SECRET})
    return run_pipeline(Pipeline(name="telling", version=1, params=Params, tasks=tasks), values, settings)


def run_script(settings: Settings, tmp_path: Path) -> Done:
    """A plain script whose run fails with a secret."""
    path = tmp_path / "nightly.py"
    path.write_text(textwrap.dedent(SCRIPT), encoding="utf-8")
    return Workshop(settings, {"SERVICE_API_KEY": ENVIRONMENT_SECRET}).python(str(path))
