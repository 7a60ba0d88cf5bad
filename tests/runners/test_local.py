from __future__ import annotations

import asyncio
import os
import sys
from contextlib import ExitStack
from typing import Any

import pytest
from pydantic import BaseModel

from p2p import Pipeline, Policy, Task
from p2p.execution import Services, use_services
from p2p.model import RunStatus
from p2p.params import ParameterSet
from p2p.runners import run_pipeline
from p2p.runners.local import Engine, Here, Isolated, run_tasks
from p2p.runners.surroundings import no_windows
from p2p.secrets import MASK
from p2p.settings import Settings
from p2p.steps import Step
from p2p.store import DiskStore, encode
from p2p.tracking import find_run, mlstore
from p2p.tracking.beside import Beside
from tests.mlflowside import ended

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


class Params(BaseModel):
    month: int = 1


def listed(month: int) -> list[int]:
    return [month]


def grown(rows: list[int]) -> int:
    rows.append(2)
    return len(rows)


@pytest.mark.parametrize(("engine", "size"), [(Here(), 2), (Isolated(), 1)])
def test_an_isolated_step_changes_only_its_own_copy(services: Services, engine: Engine, size: int) -> None:
    tasks = [Task(listed, ["month"], ["rows"]), Task(grown, ["rows"], ["grown"])]
    pipeline = Pipeline(name="p", version=1, params=Params, tasks=tasks)
    values = run_tasks(pipeline, {"month": 1}, services, engine)
    assert (values["grown"], len(values["rows"])) == (2, size)


def helper(n: int) -> int:
    doubled = n * 2
    return doubled


def load(month: int) -> list[int]:
    return [month, helper(month)]


async def fetch(rows: list[int]) -> tuple[int, int]:
    await asyncio.sleep(0)
    return min(rows), max(rows)


def train(low: int, high: int) -> dict[str, int]:
    if low == 13:
        raise ValueError("no such month")
    return {"low": low, "high": high}


FLIGHTS = Pipeline(
    name="flights", version=2, params=Params,
    tasks=[
        Task(load, inputs=["month"], outputs=["rows"]),
        Task(fetch, inputs=["rows"], outputs=["small", "large"], policy=Policy(timeout=60)),
        Task(train, inputs={"low": "small", "high": "large"}, outputs=["model"]),
    ],
    nested={helper: Policy()},
)  # fmt: skip


def run(settings: Settings, month: int) -> Any:
    values = ParameterSet.of(Params).parse({"month": month})
    return run_pipeline(FLIGHTS, values, settings)


def test_a_pipeline_that_succeeds_is_finished_and_gives_its_final_values(settings: Settings) -> None:
    outcome = run(settings, 3)
    assert outcome.status is RunStatus.FINISHED
    assert outcome.outputs == {"model": {"low": 3, "high": 6}}
    parents = {step.name: step.parent for step in outcome.steps}
    assert parents == {"load": "", "helper": "load", "fetch": "", "train": ""}
    record = find_run(settings.runs, outcome.run_id)
    rows = record.step("load").outputs["rows"]  # type: ignore[union-attr]
    assert DiskStore(settings.values).get(rows) == [3, 6]
    run_info = mlstore.connect(settings).get_run(outcome.run_id)
    assert (run_info.info.status, run_info.data.params) == ("FINISHED", {"month": "3"})


def test_a_pipeline_that_fails_says_which_step_and_why(settings: Settings) -> None:
    outcome = run(settings, 13)
    assert (outcome.status, outcome.failed_step) == (RunStatus.FAILED, "train")
    assert "ValueError: no such month" in outcome.error
    tags = mlstore.connect(settings).get_run(outcome.run_id).data.tags
    assert tags["p2p.failed_step"] == "train"


def test_nested_functions_are_steps_only_while_the_pipeline_runs(services: Any, events: Any) -> None:
    module = sys.modules[__name__]
    with use_services(services):
        assert run_tasks(FLIGHTS, {"month": 2}, services)["model"] == {"low": 2, "high": 4}
    assert module.helper is helper
    assert not isinstance(module.helper, Step)
    assert events.last("step_finished", "helper")["parent"] == "load"
    with pytest.raises(Exception, match="no such month"):
        run_tasks(FLIGHTS, {"month": 13}, services)
    assert not isinstance(module.helper, Step)


def test_the_wait_for_mlflow_can_be_left_for_later(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outcome is there while MLflow does not know it yet; when the block has ended, it knows all."""
    waited: list[str] = []
    wait = Beside.sent

    def sent(self: Beside, key: str, *, within: float | None = None) -> bool:
        waited.append(key)
        return wait(self, key, within=within)

    monkeypatch.setattr(Beside, "sent", sent)
    with ExitStack() as later:
        outcome = run_pipeline(FLIGHTS, ParameterSet.of(Params).parse({"month": 3}), settings, later=later)
        assert (outcome.status, waited) == (RunStatus.FINISHED, [])
    assert waited == [outcome.key]
    assert mlstore.connect(settings).get_run(outcome.run_id).info.status == "FINISHED"


def test_an_interrupt_is_passed_on_after_the_run_was_ended_as_killed(settings: Settings) -> None:
    def stop(month: int) -> int:
        raise KeyboardInterrupt

    pipeline = Pipeline(name="stopped", version=1, params=Params, tasks=[Task(stop, ["month"], ["x"])])
    with pytest.raises(KeyboardInterrupt):
        run_pipeline(pipeline, ParameterSet.of(Params).parse(), settings)
    [record] = [find_run(settings.runs, p.name) for p in settings.runs.iterdir()]
    assert record.status is RunStatus.KILLED
    assert ended(settings, record.run_id).info.status == "KILLED"


def test_a_decorated_coroutine_function_is_a_task_like_any_other(services: Any) -> None:
    pipeline = Pipeline(name="a", version=1, params=Params, tasks=[
        Task(Step(fetch, Policy()), inputs={"rows": "month"}, outputs=["small", "large"]),
    ])  # fmt: skip
    values = run_tasks(pipeline, {"month": [1, 5]}, services)
    assert (values["small"], values["large"]) == (1, 5)


def make(month: int) -> tuple[list[int], list[int]]:
    rows = [month]
    return rows, rows


def grow(left: list[int]) -> int:
    left.append(1)
    return len(left)


def total(right: list[int], size: int) -> int:
    return sum(right) + size


SHARING = Pipeline(
    name="sharing", version=1, params=Params,
    tasks=[
        Task(make, inputs=["month"], outputs=["left", "right"]),
        Task(grow, inputs=["left"], outputs=["size"]),
        Task(total, inputs=["right", "size"], outputs=["sum"]),
    ],
)  # fmt: skip


def test_an_input_is_recorded_as_the_step_got_it_also_when_it_was_changed_under_another_name(
    settings: Settings,
) -> None:
    """In a run that works, and in one that takes over what is known."""
    for state in ("done", "cached"):
        outcome = run_pipeline(SHARING, ParameterSet.of(Params).parse({"month": 4}), settings)
        record = find_run(settings.runs, outcome.key)
        assert {step.state for step in record.steps} == {state}
        assert outcome.outputs == {"sum": 7}
        assert record.step("total").inputs["right"].digest == encode([4, 1])[0].digest  # type: ignore[union-attr]


def test_the_choice_of_a_backend_ends_with_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MPLBACKEND", raising=False)
    with no_windows():
        assert os.environ["MPLBACKEND"] == "agg"
    assert "MPLBACKEND" not in os.environ
    monkeypatch.setenv("MPLBACKEND", "svg")
    with no_windows():
        assert os.environ["MPLBACKEND"] == "svg"


class Shop(BaseModel):
    bad: bool = False


def sell(bad: bool) -> Any:
    import pandas as pd

    return pd.DataFrame({"price": [1.5, "tok-12345" if bad else 2.5], "n": [1, 2]}).infer_objects()


def spoil(sales: Any) -> None:
    sales.drop(columns="n", inplace=True)


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (True, "'sell' gives 'sales', which breaks its contract: column 'price' should be float64 and is object: "
               f"1 of 2 rows, e.g. row 1: '{MASK}'."),
        (False, "'count' takes 'sales', which breaks its contract: column 'n' is missing."),
    ],
)  # fmt: skip
def test_a_broken_contract_fails_the_run_and_tells_border_rule_and_row_but_no_secret(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, bad: bool, told: str
) -> None:
    """A value is held against its contract where a step gives it, and where one takes what another has spoilt."""
    pa = pytest.importorskip("pandera.pandas")
    monkeypatch.setenv("SHOP_TOKEN", "tok-12345")
    tasks = [Task(sell, inputs=["bad"], outputs=["sales"]), Task(spoil, inputs=["sales"]),
             Task(len, inputs=["sales"], outputs=["rows"], name="count")]  # fmt: skip
    schema = pa.DataFrameSchema({"price": pa.Column("float64", nullable=True), "n": pa.Column("int64")})
    pipeline = Pipeline(name="shop", version=1, params=Shop, tasks=tasks, contracts={"sales": schema})
    outcome = run_pipeline(pipeline, ParameterSet.of(Shop).parse({"bad": bad}), settings)
    assert outcome.status is RunStatus.FAILED
    assert told in outcome.error
    assert "tok-12345" not in (settings.runs / outcome.key / "journal.jsonl").read_text(encoding="utf-8")
