"""Commands of the benchmarks, by real processes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.commands import TOO_LONG, run

SAYS = "import os; print({n: v for n, v in os.environ.items() if n.startswith(('P2P_', 'MLFLOW_'))})"


def test_a_command_sees_nothing_of_the_project_that_it_is_called_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a benchmark would fill the store of whoever calls it."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://somewhere")
    monkeypatch.setenv("P2P_ROOT", "/somewhere")
    done = run([sys.executable, "-c", SAYS], tmp_path, 30, {"P2P_ROOT": "here"})
    assert done.out.strip() == "{'P2P_ROOT': 'here'}"


def test_a_command_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    done = run([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, 0.5)
    assert (done.code, done.too_long) == (TOO_LONG, True)
    assert "longer than 0.5 s" in done.last_line


def test_a_command_that_fails_names_its_error(tmp_path: Path) -> None:
    done = run([sys.executable, "-c", "print('a'); raise OSError('no')"], tmp_path, 30)
    assert (done.code, done.last_line) == (1, "OSError: no")
