"""A tracking store that fails neither fails nor holds up a run, and is told the whole of it afterwards, once."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from p2p.settings import Settings
from p2p.tracking import RunFacts, reaper
from p2p.tracking.lease import leases
from p2p.tracking.sending import read_sent
from tests.journeys.workshop import Workshop
from tests.tracking.crowd import crowd
from tests.tracking.outages import EACH, Trial, ended_well, in_fork, known_once, locked, trial
from tests.tracking.servers import Misbehaving, misbehaving, real_server

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

MAY_ADD = 10.0  # seconds
MUST_WARN = 5.0  # seconds


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, ready_store: Path) -> Iterator[tuple[str, int]]:
    with real_server(tmp_path_factory.mktemp("server"), ready_store) as address:
        yield address


@pytest.fixture
def proxy(server: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> Iterator[Misbehaving]:
    monkeypatch.setenv("P2P_TRACKING_PATIENCE", "10")
    with misbehaving(server) as made:
        yield made


@pytest.fixture
def remote(settings: Settings, proxy: Misbehaving, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The project, tracked on the server behind the proxy."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", proxy.uri)
    return Settings(settings.root, proxy.uri)


def held_up_little(made: Trial, failed_at: float | None) -> None:
    """Assert that the run gave its true result, in time, and warned once."""
    assert made.result == 2 * EACH
    assert failed_at is not None
    assert made.seconds < MAY_ADD
    assert [text for _, text in made.warned if "takes nothing at present" not in text] == []
    assert [at - failed_at < MUST_WARN for at, _ in made.warned] == [True], made.warned


@pytest.mark.soak
@pytest.mark.parametrize("mood", ["down", "hang"])
def test_a_server_that_dies_in_the_middle(remote: Settings, proxy: Misbehaving, mood: str) -> None:
    def die() -> None:
        proxy.mood = mood

    made = trial(remote, f"middle-{mood}", middle=die)
    held_up_little(made, proxy.failed_at)
    assert [found.key for found in leases(remote.open_runs)] == [made.key]
    proxy.mood = "well"
    done = Workshop(remote).p2p("doctor", "--json")
    assert done.out.startswith("{"), (done.out, done.err)
    assert (done.code, done.answer["sent"], done.answer["unsent"]) == (0, [made.key], {}), done.err
    known_once(remote, made.directory)
    assert list(leases(remote.open_runs)) == []


def test_a_server_that_refuses_us_and_comes_to_its_senses(remote: Settings, proxy: Misbehaving) -> None:
    """The run goes on long enough: its own sidecar sends everything, and nothing is left for the doctor."""

    def mend() -> None:
        limit = time.monotonic() + 60
        while proxy.failed_at is None:
            assert time.monotonic() < limit
            time.sleep(0.05)
        proxy.mood = "well"

    proxy.mood = "401"
    made = trial(remote, "senses", middle=mend)
    held_up_little(made, proxy.failed_at)
    known_once(remote, made.directory)
    assert list(leases(remote.open_runs)) == []


@pytest.mark.soak
def test_answers_that_are_lost_make_nothing_twice(remote: Settings, proxy: Misbehaving) -> None:
    """What was done but not answered is asked for again: no second run, trace or value comes of it."""
    proxy.mood = "lost"
    made = trial(remote, "lost")
    held_up_little(made, proxy.failed_at)
    proxy.mood = "well"
    assert ended_well(in_fork(lambda: reaper.sweep(remote)))
    known_once(remote, made.directory)


@pytest.mark.soak
@pytest.mark.parametrize("how", ["EXCLUSIVE", "IMMEDIATE"])
def test_a_locked_database(settings: Settings, how: str) -> None:
    with locked(settings.root / "mlruns" / "mlflow.db", how):
        made = trial(settings, how.lower())
    held_up_little(made, made.began)
    assert ended_well(in_fork(lambda: reaper.sweep(settings)))
    known_once(settings, made.directory)


@pytest.mark.soak
def test_a_sender_that_is_killed_at_any_request_sends_nothing_twice(remote: Settings, proxy: Misbehaving) -> None:
    proxy.mood = "down"
    made = trial(remote, "killed", each=5)
    proxy.mood = "well"
    before = proxy.asked
    killed = 0
    while kill_at(proxy, before + 2 * killed + 4, lambda: sent_whole(remote)):
        killed += 1
        before = proxy.asked
        assert killed < 30
    assert killed >= 3
    assert read_sent(made.directory).done
    known_once(remote, made.directory)


def sent_whole(settings: Settings) -> None:
    found = reaper.sweep(settings)
    assert found.unsent == (), found


def kill_at(proxy: Misbehaving, number: int, work: Callable[[], object]) -> int:
    """Let a process work until it has made its `number`-th request; gives 1 when it was killed, 0 when it was done."""
    child = in_fork(work)

    def kill(asked: int) -> None:
        if asked == number:
            os.kill(child, signal.SIGKILL)

    proxy.at_request = kill
    done = ended_well(child)
    proxy.at_request = lambda _number: None
    return 0 if done else 1


@pytest.mark.soak
def test_a_set_experiment_in_the_code_is_no_trouble_without_a_store(remote: Settings, proxy: Misbehaving) -> None:
    import mlflow

    def die() -> None:
        proxy.mood = "hang"
        began = time.monotonic()
        mlflow.set_experiment("mine")
        mlflow.set_experiment("other")
        assert time.monotonic() - began < 6

    made = trial(remote, "experiment", middle=die)
    assert (made.result, len(made.warned)) == (2 * EACH, 1)
    assert made.seconds < MAY_ADD


@pytest.mark.soak
def test_a_run_that_cannot_be_sent_keeps_no_other_from_it(settings: Settings) -> None:
    """A defect in one journal is one line in the doctor's answer."""
    bad = Settings(settings.root, settings.tracking_uri)
    with locked(settings.root / "mlruns" / "mlflow.db", "IMMEDIATE"):
        first = trial(bad, "first", each=1)
        second = trial(bad, "second", each=1)
    spoil(first.directory)
    done = Workshop(settings).p2p("doctor", "--json")
    assert done.code == 1
    assert list(done.answer["unsent"]) == [first.key]
    known_once(settings, second.directory)


def spoil(directory: Path) -> None:
    """Make the run's opening one that no code of ours writes."""
    journal = directory / "journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines() if line]
    del lines[0]["name"]
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_sixteen_processes_at_a_fresh_project(settings: Settings) -> None:
    shutil.rmtree(settings.mlruns)
    failures = crowd(settings, RunFacts(name="crowd", run_kind="module"), 16)
    assert failures == []
