"""What a run says of outputs that could not be stored."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from p2p.model import RunStatus, StepRecord, StepState
from p2p.outcome import RunOutcome, not_stored, step_summary
from p2p.store import MemoryStore


class Model:
    def __init__(self) -> None:
        self.parts: dict[str, Any] = {"trees": [1, threading.Lock()]}


def step(**outputs: Any) -> StepRecord:
    refs = {name: MemoryStore().put(value) for name, value in outputs.items()}
    return StepRecord("fit", StepState.DONE, 1.0, 1, outputs=refs)


@pytest.mark.parametrize(
    ("value", "where"),
    [
        (Model(), "model.parts['trees'][1]: cannot pickle '_thread.lock' object"),
        ([len for _ in "ab"], None),
        ((n for n in "ab"), "model: a generator can be read only once"),
        (print, "model: 'print' is code (a function or class), not a value"),
    ],
)
def test_the_step_the_name_and_the_place_inside_are_told(value: Any, where: str | None) -> None:
    told = not_stored([step(model=value, score=1)])
    assert told == ([f"Step 'fit': output 'model' could not be stored ({where})."] if where else [])
    assert step_summary(step(model=value, score=1))["not_stored"] == ({"model": where} if where else {})


def test_people_are_told_at_the_end_of_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    from p2p.cli import show

    show.outcome(RunOutcome("id", "key", "t", RunStatus.FINISHED, (step(model=Model()),)), "hint")
    said = capsys.readouterr()
    assert "Step 'fit': output 'model' could not be stored (model.parts['trees'][1]: cannot pickle" in said.err
    assert "could not be stored" not in said.out
