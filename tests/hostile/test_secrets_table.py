"""A secret that a step takes, gives and raises with stands in no record of any kind of run, and in no cached result.

Runs of notebooks are in `test_table.py` and `test_tracking_table.py`; here are those without one.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from p2p import Pipeline, Task
from p2p.cache import Reuse
from p2p.errors import InputRefused
from p2p.model import RunStatus
from p2p.outcome import RunOutcome
from p2p.params import ParameterSet
from p2p.runners import run_pipeline
from p2p.secrets import MASK
from p2p.session import InteractiveSession
from p2p.settings import Settings
from p2p.tracking import RunRecord
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


def run(settings: Settings, last: Task) -> RunOutcome:
    tasks = [Task(tell, ["token", "spare"], ["said"]), last]
    values = ParameterSet.of(Params).parse({"token": SECRET})
    return run_pipeline(Pipeline(name="telling", version=1, params=Params, tasks=tasks), values, settings)


def test_no_record_of_a_module_holds_a_secret(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_API_KEY", ENVIRONMENT_SECRET)
    failed = run(settings, Task(fail, ["said"], ["x"]))
    assert (failed.status, failed.failed_step) == (RunStatus.FAILED, "fail")
    assert failed.error.endswith(f"RuntimeError: {MASK} {MASK} {MASK}")
    done = run(settings, Task(told, ["said"], ["again"]))
    assert json.dumps(done.as_dict()["outputs"]) == json.dumps({"again": dict.fromkeys(["id", "type", "key"], MASK)})
    assert leaks(settings) == []


def test_no_cached_result_holds_a_secret(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A result is told with previews of its values; `told` depends on its code and input alone, so it is kept."""
    monkeypatch.setenv("SERVICE_API_KEY", ENVIRONMENT_SECRET)
    states = [run(settings, Task(told, ["said"], ["again"])).steps[-1].state.value for _ in range(2)]
    assert states == ["done", "cached"]
    entries = list((settings.values.parent / "cache").rglob("*.json"))
    assert [MASK in path.read_text(encoding="utf-8") for path in entries] == [True]
    assert leaks(settings) == []


def test_no_record_of_an_interactive_run_holds_a_secret_that_a_cell_put_into_the_environment(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = InteractiveSession(settings, lambda: ("exploring", ""), lambda text: None)
    monkeypatch.setenv("SERVICE_API_KEY", ENVIRONMENT_SECRET)
    events = session.services().events
    events.append("step_started", step="a", id="1", inputs={}, parent="", parent_id="", attributes={})
    events.append(
        "step_finished", step="a", id="1", state="failed", seconds=0.1, attempts=1, parent="", outputs={},
        error_type="RuntimeError", error=ENVIRONMENT_SECRET, traceback=f"... {ENVIRONMENT_SECRET}",
    )  # fmt: skip
    session.close()
    assert leaks(settings) == []


@pytest.fixture
def script(settings: Settings, tmp_path: Path) -> Done:
    import textwrap

    path = tmp_path / "nightly.py"
    path.write_text(textwrap.dedent(SCRIPT), encoding="utf-8")
    return Workshop(settings, {"SERVICE_API_KEY": ENVIRONMENT_SECRET}).python(str(path))


def test_no_record_of_a_script_holds_a_secret(settings: Settings, script: Done) -> None:
    """Its traceback on the terminal is Python's own, not p2p's."""
    assert script.code == 1
    [record] = Workshop(settings).records(run_kind="script")
    assert record.status is RunStatus.FAILED
    assert record.facts["params"] == {"id": MASK}
    assert MASK in record.end["error"]
    assert leaks(settings) == []


def test_a_run_whose_parameter_held_a_secret_is_not_resumed_with_the_mask_in_its_place(tmp_path: Path) -> None:
    facts = {"params": {"address": f"https://host/{MASK}/x", "month": 3}, "overridden": ["address", "month"]}
    reuse = Reuse(resumes=RunRecord("20261124T1", tmp_path, facts, RunStatus.FAILED))
    with pytest.raises(InputRefused, match=r"Give it again: -p address=\.\.\."):
        reuse.parameters([])
    assert reuse.parameters(["address"]) == {"month": 3}
