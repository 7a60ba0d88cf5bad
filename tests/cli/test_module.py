from __future__ import annotations

import json
import subprocess

import pytest
from pydantic import BaseModel

from p2p import Pipeline, Task
from p2p.cli.module import run_shown
from p2p.params import ParameterSet
from p2p.settings import Settings


class Params(BaseModel):
    month: int = 1


def tell(month: int) -> int:
    subprocess.run(["echo", "said by a child"], check=True)
    print("said by the step")  # noqa: T201  # that is what steps do
    return month


def test_stdout_holds_the_answer_alone_whatever_steps_and_their_children_print(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    pipeline = Pipeline(name="telling", version=1, params=Params, tasks=[Task(tell, ["month"], ["x"])])
    run_shown(pipeline, ParameterSet.of(Params).parse(), settings, as_json=True)
    out, err = capfd.readouterr()
    assert json.loads(out)["outputs"] == {"x": 1}
    assert "said by a child" in err
    assert "said by the step" in err
