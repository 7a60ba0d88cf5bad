"""A run whose id comes while the kernel is at work: who asks for it waits, and nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from p2p.tracking import Journal, guard
from p2p.tracking.later import LaterRun
from p2p.tracking.ownrun import OwnRun

URI = "sqlite:///nowhere.db"
SHOW = [sys.executable, "-c", "import os; print(os.environ.get('MLFLOW_RUN_ID', 'none'))"]


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Journal]:
    """The journal of a run that is attached later, in a process without MLflow."""
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_TRACKING_URI", "P2P_RUN"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    for name in [name for name in sys.modules if name == "mlflow" or name.startswith("mlflow.")]:
        monkeypatch.delitem(sys.modules, name)
    journal = Journal(tmp_path / "run")

    def made(run_id: str, experiment: str) -> OwnRun:
        return OwnRun(run_id, experiment, URI, journal.directory, journal.append)

    guard.attach_later(LaterRun(journal.directory, made), URI)
    yield journal
    guard.detach()
    journal.close()


def told(journal: Journal, kind: str = "mlflow_run", after: float = 0.0) -> None:
    facts = {"run_id": "r1", "experiment": "7"} if kind == "mlflow_run" else {"why": "it is down"}

    def tell() -> None:
        time.sleep(after)
        journal.append(kind, **facts)

    threading.Thread(target=tell).start() if after else tell()


def test_nobody_waits_for_an_id_that_nobody_asks_for(journal: Journal) -> None:
    guard.prepare("frame = frame.dropna()")
    guard.arm()
    guard.install()
    assert "MLFLOW_RUN_ID" not in os.environ
    assert os.environ["MLFLOW_TRACKING_URI"] == URI
    told(journal)
    guard.arm()
    assert (os.environ["MLFLOW_RUN_ID"], os.environ["MLFLOW_EXPERIMENT_ID"], os.environ["P2P_RUN"]) == ("r1", "7", "r1")


def test_a_program_finds_the_run_in_its_environment(journal: Journal) -> None:
    told(journal, after=0.3)
    assert subprocess.run(SHOW, capture_output=True, text=True, check=True).stdout == "r1\n"


@pytest.mark.parametrize(
    "source",
    ["!python train.py", "x = 1\n  !ls", "%%bash\ntrue", "env = {**os.environ}", "os.getenv('X')",
     "subprocess.run(['train'])"],
)  # fmt: skip
def test_a_cell_that_may_take_the_environment_along_waits(journal: Journal, source: str) -> None:
    told(journal, after=0.2)
    guard.prepare(source)
    assert os.environ["MLFLOW_RUN_ID"] == "r1"


def test_whoever_asks_for_the_id_has_it(journal: Journal) -> None:
    told(journal, after=0.2)
    assert guard.run_id() == "r1"


def test_a_store_that_takes_nothing_is_not_waited_for(journal: Journal) -> None:
    told(journal, "mlflow_late", after=0.2)
    found = guard.run_id()
    assert len(found) == 32
    assert os.environ["MLFLOW_RUN_ID"] == found


def test_a_run_that_is_left_is_not_waited_for(journal: Journal) -> None:
    guard.detach()
    assert guard.run_id() == ""
    subprocess.run(SHOW, capture_output=True, check=True)
    assert "MLFLOW_RUN_ID" not in os.environ
