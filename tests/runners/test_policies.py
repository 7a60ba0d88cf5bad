"""A pipeline's tasks under their policies."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from p2p import Pipeline, Policy, Task
from p2p.execution import Services
from p2p.runners.local import run_tasks


class Params(BaseModel):
    month: int = 1


def test_a_task_is_tried_again_on_what_it_found_and_its_fallback_takes_its_inputs_by_name(services: Services) -> None:
    found: list[Any] = []

    def fill(model: Any, month: int) -> Any:
        found.append(model.fitted)
        model.fitted = True
        if len(found) < 2:
            raise OSError
        return model

    def load(month: int) -> int:
        raise OSError

    def last(month: int) -> int:
        return month + 1

    pipeline = Pipeline(name="sturdy", version=1, params=Params, tasks=[
        Task(Odd, [], ["model"]),
        Task(fill, ["model", "month"], ["filled"], policy=Policy(retries=1)),
        Task(load, ["month"], ["rows"], policy=Policy(fallback=last)),
    ])  # fmt: skip
    values = run_tasks(pipeline, {"month": 3}, services)
    assert found == [False, False]
    assert values["model"] is values["filled"]
    assert values["rows"] == 4


class Odd:
    """An object that cannot be put back in place, so that a copy goes on in its stead."""

    fitted: bool

    def __init__(self) -> None:
        self.fitted = False

    def __setstate__(self, state: Any) -> None:
        self.__dict__.update(state)
