"""What a person sees while a run goes on."""

from __future__ import annotations

from typing import Any

import pytest

from p2p.cli.progress import Watch
from p2p.model import StepRecord, StepState
from p2p.outcome import step_summary

ERROR = {"error_type": "OSError", "error": "no route", "traceback": ""}


def shown(event: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> str:
    with Watch() as progress:
        progress(event)
    return " ".join(capsys.readouterr().err.split())


def test_a_fallback_is_seen_with_the_error_that_it_stands_in_for(capsys: pytest.CaptureFixture[str]) -> None:
    end = {"kind": "step_finished", "step": "load", "parent": "", "state": "done", "seconds": 1.0, "attempts": 2}
    assert "fallback, instead of OSError: no route" in shown({**end, "fallback": True, **ERROR}, capsys)
    assert "fallback" not in shown(end, capsys)


def test_what_cannot_be_put_back_is_named_beside_the_attempt(capsys: pytest.CaptureFixture[str]) -> None:
    event = {"kind": "step_retried", "step": "load", "attempt": 1, "delay": 0.123456, **ERROR}
    text = shown({**event, "reset": "partial", "not_reset": ["lines"]}, capsys)
    assert "again in 0.123 s" in text
    assert "lines cannot be put back" in text
    assert "put back" not in shown(event, capsys)


def test_the_summary_of_a_step_says_whether_its_fallback_was_used() -> None:
    record = StepRecord("load", StepState.DONE, 1.0, 2, error="OSError: no route", fallback=True)
    assert (step_summary(record)["fallback"], step_summary(record)["error"]) == (True, "OSError: no route")
