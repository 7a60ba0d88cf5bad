"""One sidecar for many runs: it nests them, ends all when their owner dies, and keeps nothing of those it has sent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from p2p.model import RunStatus
from p2p.settings import Settings
from p2p.tracking import Driver, RunFacts, mlstore, reaper
from p2p.tracking.beside import Beside
from p2p.tracking.records import read_record
from p2p.tracking.sending import read_sent
from tests.mlflowside import ended

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

THREADS = 4
EACH = 2
_HOLD = """
import sys, time
from p2p.settings import load_settings
from p2p.tracking import Driver, RunFacts
from p2p.tracking.beside import Beside

settings = load_settings()
beside = Beside(settings, print)
keys = []
for kind, name in (("sweep", "held"), ("notebook", "held"), ("notebook", "held")):
    driver = Driver(settings, RunFacts(name=name, run_kind=kind, parent=keys[0] if keys else ""), beside=beside)
    driver.open()
    driver.connect()
    keys.append(driver.key)
print(*keys, flush=True)
time.sleep(600)
"""


@pytest.fixture
def beside(settings: Settings) -> Iterator[Beside]:
    made = Beside(settings, lambda _text: None)
    yield made
    made.close()
    made._process.wait(60)


def opened(settings: Settings, beside: Beside, *, kind: str = "notebook", parent: str = "") -> Driver:
    driver = Driver(settings, RunFacts(name="many", run_kind=kind, parent=parent), beside=beside)
    driver.open()
    driver.connect()
    return driver


def test_runs_of_several_threads_are_all_sent_nested_and_let_go(settings: Settings, beside: Beside) -> None:
    """Ending one of them does not wait for MLflow; the one that they are parts of waits for all."""
    parent = opened(settings, beside, kind="sweep")
    keys: list[str] = []

    def work() -> None:
        for _ in range(EACH):
            driver = opened(settings, beside, parent=parent.key)
            driver.end(RunStatus.FINISHED)
            keys.append(driver.key)

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    parent.end(RunStatus.FINISHED)
    assert beside.all_sent(within=30)
    runs = mlstore.connect(settings).search_runs([parent.experiment], f"tags.`mlflow.parentRunId` = '{parent.run_id}'")
    assert sorted(run.data.tags["p2p.run"] for run in runs) == sorted(keys)
    assert len(keys) == THREADS * EACH
    assert {(run.info.status, run.data.tags["p2p.sweep"]) for run in runs} == {("FINISHED", parent.key)}
    assert (beside._unsent, beside._runs, list(settings.open_runs.glob("*.json"))) == ({}, {}, [])
    locks = [file.path for file in psutil.Process(beside._process.pid).open_files() if "sending.lock" in file.path]
    assert locks == []


def test_a_sidecar_that_died_is_replaced_and_the_new_one_goes_on_with_all_that_is_open(
    settings: Settings, beside: Beside
) -> None:
    parent = opened(settings, beside, kind="sweep")
    beside._process.kill()
    beside._process.wait()
    child = opened(settings, beside, parent=parent.key)
    child.end(RunStatus.FINISHED)
    parent.end(RunStatus.FINISHED)
    assert beside.all_sent(within=30)
    assert ended(settings, read_sent(child.directory).run_id).data.tags["mlflow.parentRunId"] == parent.run_id


def test_nobody_waits_for_a_store_when_the_whole_is_in_a_hurry(settings: Settings, beside: Beside) -> None:
    """A Ctrl-C reaches threads that wait for a sidecar which is still importing MLflow."""
    beside.hurry()
    driver = opened(settings, beside)  # would wait for some seconds
    assert read_sent(driver.directory).run_id == ""
    driver.end(RunStatus.KILLED)


def test_all_runs_of_an_owner_that_is_killed_are_killed(settings: Settings) -> None:
    owner = subprocess.Popen([sys.executable, "-c", _HOLD], stdout=subprocess.PIPE, text=True, cwd=settings.root)
    assert owner.stdout is not None
    keys = owner.stdout.readline().split()
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    found = [ended(settings, read_sent(settings.runs / key).run_id).info.status for key in keys]
    assert found == ["KILLED"] * 3
    assert [read_record(settings.runs / key).status for key in keys] == [RunStatus.KILLED] * 3
    owner.stdout.close()


class Offline:
    """A sweep's runs that were made while nobody sent anything: their directories as a sidecar leaves them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.parent = self._made("sweep", "")
        self.child = self._made("notebook", self.parent.name)

    def _made(self, kind: str, parent: str) -> Path:
        from dataclasses import asdict

        from p2p.tracking import Journal, new_key
        from p2p.tracking.lease import take_lease

        key = new_key()
        journal = Journal(self.settings.runs / key)
        journal.append("run_opened", format=1, tracking_uri=self.settings.tracking_uri,
                       **asdict(RunFacts(name="offline", run_kind=kind, parent=parent)))  # fmt: skip
        journal.append("run_finished", status="FINISHED", by="test")
        journal.close()
        take_lease(self.settings.lease(key))
        return journal.directory

    def tags(self, directory: Path) -> dict[str, Any]:
        run = mlstore.connect(self.settings).get_run(read_sent(directory).run_id)
        return dict(run.data.tags)


def test_a_part_that_is_sent_before_the_whole_is_nested_in_it(settings: Settings) -> None:
    """Whoever comes first makes the MLflow run of the whole; it is made once."""
    made = Offline(settings)
    assert reaper.send(settings, made.child.name) == ""
    above = made.tags(made.child)["mlflow.parentRunId"]
    assert (above, read_sent(made.parent).done) == (read_sent(made.parent).run_id, False)
    assert reaper.send(settings, made.parent.name) == ""
    client = mlstore.connect(settings)
    experiment = client.get_experiment_by_name("offline")
    assert experiment is not None
    assert len(client.search_runs([experiment.experiment_id])) == 2
    assert client.get_run(above).info.status == "FINISHED"


def test_a_part_of_a_run_whose_directory_is_gone_is_sent_alone(settings: Settings) -> None:
    made = Offline(settings)
    (made.parent / "journal.jsonl").unlink()
    assert reaper.send(settings, made.child.name) == ""
    assert "mlflow.parentRunId" not in made.tags(made.child)


def test_a_run_that_was_made_before_sent_json_was_lost_is_found_again(settings: Settings) -> None:
    """As after a power cut; `sent.json` is written without waiting for the disk."""
    made = Offline(settings)
    assert reaper.send(settings, made.parent.name) == ""
    before = json.loads((made.parent / "sent.json").read_text())["run_id"]
    (made.parent / "sent.json").unlink()
    assert reaper.send(settings, made.parent.name) == ""
    assert read_sent(made.parent).run_id == before
