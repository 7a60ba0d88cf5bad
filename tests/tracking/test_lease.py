"""A run belongs to one process: who is dead is found out, who lives is left alone, who was replaced cannot commit."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from p2p.model import RunStatus
from p2p.settings import Settings
from p2p.tracking import Driver, Journal, RunFacts, lease, read_events, reaper
from p2p.tracking.lease import RunReplaced, leases, take_lease
from p2p.tracking.owner import Life, Owner, life_of, owner_of, this_process
from p2p.tracking.records import read_record
from tests.mlflowside import ended


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


def opened(settings: Settings, key: str, owner: Owner) -> Path:
    """A run that `owner` has opened and not ended."""
    take_lease(settings.lease(key), owner)
    journal = Journal(settings.runs / key)
    journal.append("run_opened", format=1, name="flights", run_kind="module")
    journal.append("step_started", step="load", id="1", inputs={}, parent="", parent_id="")
    journal.close()
    return settings.runs / key


def test_this_process_is_alive() -> None:
    assert life_of(this_process()) is Life.ALIVE


def test_a_stopped_process_is_alive(other: subprocess.Popen[bytes]) -> None:
    owner = owner_of(other.pid)
    other.send_signal(signal.SIGSTOP)
    while psutil.Process(other.pid).status() != psutil.STATUS_STOPPED:
        time.sleep(0.01)
    assert life_of(owner) is Life.ALIVE


def test_a_killed_process_is_dead_before_and_after_its_parent_took_note(other: subprocess.Popen[bytes]) -> None:
    owner = owner_of(other.pid)
    other.kill()
    while psutil.Process(other.pid).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert life_of(owner) is Life.DEAD
    other.wait()
    assert life_of(owner) is Life.DEAD


@pytest.mark.parametrize(
    ("changed", "life"),
    [
        pytest.param({"started": 1.0}, Life.DEAD, id="the pid is another process's now"),
        pytest.param({"boot": "earlier"}, Life.DEAD, id="the machine was started anew"),
        pytest.param({"host": "elsewhere"}, Life.UNKNOWN, id="another machine"),
        pytest.param({"space": "pid:[1]"}, Life.UNKNOWN, id="another container"),
    ],
)
def test_who_only_looks_like_a_living_owner(changed: dict[str, object], life: Life) -> None:
    assert life_of(dataclasses.replace(this_process(), **changed)) is life  # type: ignore[arg-type]  # parametrized


def test_a_dead_owners_run_is_killed_and_names_the_step_at_work(
    settings: Settings, other: subprocess.Popen[bytes]
) -> None:
    directory = opened(settings, "k1", owner_of(other.pid))
    assert reaper.reap(settings) == []
    assert read_record(directory).status is RunStatus.RUNNING
    other.kill()
    other.wait()
    assert reaper.reap(settings) == ["k1"]
    assert reaper.reap(settings) == []
    record = read_record(directory)
    assert record.status is RunStatus.KILLED
    assert (record.end["failed_step"], record.end["error"]) == (
        "load", f"process {other.pid} on {this_process().host} died",
    )  # fmt: skip


def test_a_dead_owners_run_that_another_process_is_ending_is_unsent_and_not_elsewhere(
    settings: Settings, other: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(settings, "k1", owner_of(other.pid))
    other.kill()
    other.wait()
    monkeypatch.setattr(reaper, "reap", lambda *_args, **_options: [])  # as when it does not get the lock
    swept = reaper.sweep(settings)
    assert swept.unsent == (("k1", "its process has died, and another one is ending it"),)
    assert (swept.killed, swept.sent, swept.running, swept.elsewhere) == ((), (), (), ())


def test_a_run_that_another_process_is_ending_has_ended_after_reaping(
    settings: Settings, other: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever ends a run is its owner meanwhile, and lives: a resumed run was refused, as if it were at work."""
    directory = opened(settings, "k1", owner_of(other.pid))
    other.kill()
    other.wait()
    taken, go_on = threading.Event(), threading.Event()

    def slowly(_directory: Path) -> str:
        taken.set()
        go_on.wait(20)
        return "load"

    monkeypatch.setattr(reaper, "failed_step", slowly)
    ending = threading.Thread(target=reaper.end, args=(settings, "k1", "died"))
    ending.start()
    assert taken.wait(20)
    threading.Timer(0.3, go_on.set).start()
    assert reaper.reap(settings) == []
    assert read_record(directory).status is RunStatus.KILLED
    ending.join()


def test_an_owner_elsewhere_is_left_alone_until_its_machine_is_said_to_be_gone(settings: Settings) -> None:
    opened(settings, "k1", dataclasses.replace(this_process(), host="elsewhere"))
    assert reaper.reap(settings) == []
    assert reaper.reap(settings, gone_hosts=["another"]) == []
    assert reaper.reap(settings, gone_hosts=["elsewhere"]) == ["k1"]


@pytest.mark.parametrize("text", ["", "null", "[]", '{"host": 1}', "\x00\xff", '{"pid": "x"}'])
def test_a_lease_that_cannot_be_read_is_nobodys(settings: Settings, text: str) -> None:
    opened(settings, "k1", this_process())
    settings.lease("k1").write_text(text)
    [found] = leases(settings.open_runs)
    assert found.life is Life.UNKNOWN
    assert reaper.reap(settings, gone_hosts=["unreadable"]) == ["k1"]


def test_an_owner_that_was_replaced_cannot_commit(settings: Settings) -> None:
    driver = Driver(settings, RunFacts(name="flights", run_kind="module"))
    driver.open()
    driver.connect()
    assert reaper.end(settings, driver.key, "taken for dead")
    with pytest.raises(RunReplaced, match="no longer belongs to this process"):
        driver.journal.append("step_finished", step="load")
    with pytest.raises(RunReplaced):
        driver.end(RunStatus.FINISHED)
    record = read_record(driver.directory)
    assert (record.status, record.end["error"]) == (RunStatus.KILLED, "taken for dead")
    assert ended(settings, driver.run_id).info.status == "KILLED"


def test_of_two_ends_the_first_counts(settings: Settings) -> None:
    """The owner may have looked at its lease in the very moment before it lost it."""
    driver = Driver(settings, RunFacts(name="flights", run_kind="module"))
    driver.open()
    reaper.end(settings, driver.key, "taken for dead")
    driver.journal._held = None
    with pytest.raises(RunReplaced):
        driver.end(RunStatus.FINISHED)
    assert read_record(driver.directory).status is RunStatus.KILLED
    assert [e["kind"] for e in read_events(driver.directory)].count("run_finished") == 1


KILLED_WHILE_OPEN = """
import os, sys
from p2p.settings import load_settings
from p2p.tracking import Driver, RunFacts
driver = Driver(load_settings(), RunFacts(name="flights", run_kind="module"))
driver.open()
driver.connect()
print(driver.key, driver.run_id, flush=True)
os.kill(os.getpid(), 9)
"""


def test_a_killed_process_leaves_no_run_running(settings: Settings) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED_WHILE_OPEN], capture_output=True, text=True, check=False)
    key, run_id = done.stdout.split()
    run = ended(settings, run_id)
    assert run.info.status == "KILLED"
    assert read_record(settings.runs / key).status is RunStatus.KILLED
    limit = time.monotonic() + 10
    while settings.lease(key).exists():
        assert time.monotonic() < limit
        time.sleep(0.1)


def test_the_sidecar_keeps_the_lease_warm(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver(settings, RunFacts(name="flights", run_kind="module"))
    driver.open()
    os.utime(settings.lease(driver.key), (1, 1))
    limit = time.monotonic() + lease.BEAT + 5
    while settings.lease(driver.key).stat().st_mtime < 2:
        assert time.monotonic() < limit
        time.sleep(0.1)
    driver.end(RunStatus.FINISHED)


def test_a_lease_says_who(settings: Settings) -> None:
    take_lease(settings.lease("k1"))
    assert json.loads(settings.lease("k1").read_text())["pid"] == os.getpid()
