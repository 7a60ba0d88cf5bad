"""What a person sees while a run goes on."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from p2p.cli.progress import Watch
from p2p.model import StepRecord, StepState
from p2p.outcome import step_summary
from p2p.progress import Pace

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


MOVED = {
    "kind": "step_progress", "step": "[red]train", "id": "a", "parent": "", "description": "epochs\x1b[2J", "n": 43,
    "total": 100, "unit": "it", "rate": 2.0,
}  # fmt: skip


def test_where_there_is_no_bar_a_long_step_says_now_and_then_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    with Watch(pace=Pace(30, lambda: now[0])) as watch:
        for now[0] in range(61):
            watch(MOVED)
    told = capsys.readouterr().err.splitlines()
    assert told == ["  … step [red]train: epochs\\x1b[2J 43/100 (2 it/s, 28 s left)"] * 2


def test_a_bar_on_a_terminal_says_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr("p2p.cli.progress.err", Console(file=shown, force_terminal=True, width=120))
    with Watch() as watch:
        watch(MOVED)
    assert "step [red]train: epochs\\x1b[2J 43/100" in shown.getvalue()


def test_a_log_has_a_line_when_a_step_starts(capsys: pytest.CaptureFixture[str]) -> None:
    for starts in (False, True):
        with Watch(starts=starts) as watch:
            watch({"kind": "step_started", "step": "load", "parent": ""})
        assert ("load has started" in capsys.readouterr().err) is starts
