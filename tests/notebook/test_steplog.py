"""The steps of a run in papermill's own log."""

from __future__ import annotations

import io
import logging
from types import SimpleNamespace
from typing import Any

import pytest
from tqdm import tqdm

from p2p.notebook.steplog import StepLog
from p2p.progress import Pace

EVENTS = (
    {"kind": "cell_started", "cell": 1, "cells": 2},
    {"kind": "step_started", "step": "fit", "id": "a", "parent": ""},
    {"kind": "step_progress", "step": "fit", "id": "a", "description": "epochs\x1b[2J\n", "n": 3, "total": 9},
    {"kind": "step_retried", "step": "fit", "id": "a", "attempt": 1, "error_type": "OSError", "error": "no\nroute"},
    {"kind": "step_finished", "step": "fit", "id": "a", "state": "failed", "seconds": 1.234, "error_type": "OSError",
     "error": "no"},
)  # fmt: skip
LINES = [
    "step fit has started", "step fit: epochs\\x1b[2J 3/9", "step fit: attempt 1 has failed (OSError: no route)",
    "step fit is failed, 1.23 s (OSError: no)",
]  # fmt: skip


def logged(log: StepLog, caplog: pytest.LogCaptureFixture) -> list[str]:
    with caplog.at_level(logging.INFO, "papermill"):
        for event in EVENTS:
            log(event)
    return [record.message for record in caplog.records if record.name == "papermill"]


def test_each_step_has_a_line_at_its_start_and_its_end_and_few_between(caplog: pytest.LogCaptureFixture) -> None:
    assert logged(StepLog([]), caplog) == [LINES[0], *LINES[2:]]
    caplog.clear()
    assert logged(StepLog([], Pace(0)), caplog) == LINES


def test_a_progress_bar_has_the_step_beside_it(caplog: pytest.LogCaptureFixture) -> None:
    shown = io.StringIO()
    manager: Any = SimpleNamespace(pbar=tqdm(total=2, file=shown, ncols=120))
    assert logged(StepLog([manager]), caplog) == [LINES[0], *LINES[2:]]
    manager.pbar.close()
    assert "fit: epochs\\x1b[2J 3/9" in shown.getvalue()
    assert "fit" not in shown.getvalue().rpartition("\r")[2]
