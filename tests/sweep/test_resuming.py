"""Which sweep is gone on with, and what of it is taken over: told by its journal."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from p2p.errors import InputRefused
from p2p.params import ParameterSet, read_parameters
from p2p.secrets import MASK
from p2p.settings import Settings
from p2p.sweep.resuming import Resumed, resumed
from p2p.sweep.targets import TargetFacts
from p2p.tracking import Journal, RunFacts, new_key

TARGET = TargetFacts("sales", "notebooks/sales.ipynb", "notebook", "notebooks/sales.ipynb", "abc")
FACTS = RunFacts(name="sales", run_kind="sweep", source="notebooks/sales.ipynb", notebook_digest="abc")


@pytest.fixture(scope="module")
def parameters() -> ParameterSet:
    return read_parameters("from pydantic import SecretStr\nx: int = 1\ntoken: SecretStr = 'none'")


def run(settings: Settings, facts: RunFacts, *events: tuple[str, dict[str, Any]], end: str = "") -> str:
    """A run that these events tell of; gives its key."""
    key = new_key()
    journal = Journal(settings.runs / key)
    journal.append("run_opened", format=1, **asdict(facts))
    for kind, data in events:
        journal.append(kind, **data)
    if end:
        journal.append("run_finished", status=end, by="test")
    journal.close()
    return key


def ended(point: int, status: str, **other: Any) -> tuple[str, dict[str, Any]]:
    facts = {"parameters": {"x": point}, "key": f"run-{point}", "run_id": None, "seconds": 1.5}
    gave = {"measures": {"auc": 0.5}, "outputs": {}}
    return "point_finished", {"point": point, "status": status, **facts, **gave, **other}


def started(point: int, key: str) -> tuple[str, dict[str, Any]]:
    return "point_started", {"point": point, "key": key, "parameters": {"x": point}}


def gone_on(settings: Settings, parameters: ParameterSet, key: str, **secrets: str) -> Resumed:
    return resumed(key, TARGET, parameters, settings, secrets=secrets)


PLAN = ("sweep_planned", {"how": "grid", "points": [{"x": 1}, {"x": 2}, {"x": 3}]})


def test_finished_points_are_kept_and_those_that_had_begun_go_on(settings: Settings, parameters: ParameterSet) -> None:
    part = RunFacts(name="sales", run_kind="notebook")
    failed, lost = run(settings, part, end="FAILED"), "20260101T000000.000000-00000000"
    told = [PLAN, ended(1, "FINISHED"), started(2, failed), ended(2, "FAILED", key=failed), started(3, lost)]
    key = run(settings, FACTS, *told, end="KILLED")
    found = gone_on(settings, parameters, key)
    assert [(point.number, point.shown) for point in found.points] == [(1, {"x": 1}), (2, {"x": 2}), (3, {"x": 3})]
    assert {n: (r.measures, r.seconds, r.finished) for n, r in found.gone.results.items()} == {
        1: ({"auc": 0.5}, 1.5, True)
    }
    assert {n: record.key for n, record in found.gone.begun.items()} == {2: failed}


def test_points_of_an_optimizer_are_those_that_it_asked_for(settings: Settings, parameters: ParameterSet) -> None:
    plan = ("sweep_planned", {"how": "optimize", "goal": "maximize:auc", "trials": 5, "asked": {}})
    done = ended(1, "FINISHED", parameters={"x": 7})
    found = gone_on(settings, parameters, run(settings, FACTS, plan, started(1, "k"), done, end="FAILED"))
    assert [(point.number, point.shown) for point in found.points] == [(1, {"x": 7})]


@pytest.mark.parametrize(
    ("facts", "events", "end", "told"),
    [
        (FACTS, (PLAN,), "", "is still running"),
        (FACTS, (PLAN,), "FINISHED", "nothing is left to do"),
        (FACTS, (), "KILLED", "ended before it had begun"),
        (RunFacts(name="sales", run_kind="notebook"), (), "FAILED", "is no sweep. Go on with it by `p2p run --resume"),
        (RunFacts(name="other", run_kind="sweep", source="o.ipynb"), (PLAN,), "FAILED", "is a sweep of o.ipynb"),
        (
            RunFacts(name="sales", run_kind="sweep", source="notebooks/sales.ipynb", notebook_digest="old"), (PLAN,),
            "FAILED", "The notebook has changed",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_gone_on_with_is_refused(
    settings: Settings, parameters: ParameterSet, facts: RunFacts, events: Any, end: str, told: str
) -> None:
    key = run(settings, facts, *events, end=end)
    with pytest.raises(InputRefused, match=told):
        gone_on(settings, parameters, key)


def test_a_secret_is_given_again_or_the_sweep_refused(settings: Settings, parameters: ParameterSet) -> None:
    plan = ("sweep_planned", {"how": "grid", "points": [{"x": 1, "token": MASK}]})
    key = run(settings, FACTS, plan, end="KILLED")
    with pytest.raises(InputRefused, match="was given the secret 'token'"):
        gone_on(settings, parameters, key)
    [point] = gone_on(settings, parameters, key, token="hunter2").points
    assert (dict(point.text), dict(point.shown)) == ({"token": "hunter2"}, {"x": 1, "token": MASK})
    assert point.secrets == {"hunter2"}
