"""Tracking that fails in every way, at seeded moments: the result kept, and MLflow told of it once."""

from __future__ import annotations

import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from p2p.settings import Settings
from p2p.tracking import RunFacts
from tests.journeys.workshop import Workshop
from tests.soak.saying import say
from tests.tracking.crowd import crowd
from tests.tracking.outages import EACH, Trial, known_once, locked, trial
from tests.tracking.servers import Misbehaving, misbehaving, real_server

pytestmark = [pytest.mark.soak, pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")]
SEED = 20261124
MOODS = ("down", "hang", "500", "401")
LOCKED_FOR = 30.0  # seconds
MAY_ADD = 10.0
MUST_WARN = 5.0
CROWDS = 50


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, ready_store: Path) -> Iterator[tuple[str, int]]:
    with real_server(tmp_path_factory.mktemp("server"), ready_store) as address:
        yield address


def judged(made: Trial, failed_at: float | None, healthy: float) -> tuple[float, float]:
    """Seconds that the store added, and until the warning (0 where the store never failed); asserts the limits."""
    assert made.result == 2 * EACH
    added, late = made.seconds - healthy, 0.0
    assert added < MAY_ADD
    if failed_at is not None:
        [(at, _)] = made.warned
        late = at - failed_at
        assert late < MUST_WARN
    return added, late


def healed(settings: Settings, made: Trial) -> None:
    """Let the doctor send the rest, and assert that all of it is there, once."""
    done = Workshop(settings).p2p("doctor", "--json")
    assert (done.code, done.answer["unsent"]) == (0, {}), done.err
    known_once(settings, made.directory)


def server_trial(settings: Settings, proxy: Misbehaving, mood: str, moment: str, after: int, healthy: float) -> tuple[
    float, float
]:  # fmt: skip
    def fail() -> None:
        proxy.after, proxy.mood = after, mood

    if moment == "start":
        fail()
    made = trial(settings, f"{mood}-{moment}-{after}", middle=fail if moment == "middle" else lambda: None)
    figures = judged(made, proxy.failed_at, healthy)
    proxy.mood = "well"
    healed(settings, made)
    return figures


@contextmanager
def locked_for(database: Path, how: str) -> Iterator[None]:
    """Hold the database from now on, and let go when its time is over and the block has ended."""
    until = time.monotonic() + LOCKED_FOR
    with locked(database, how):
        yield
        time.sleep(max(0.0, until - time.monotonic()))


def lock_trial(settings: Settings, how: str, moment: str, healthy: float) -> tuple[float, float]:
    began: list[float] = []
    over, held = threading.Event(), threading.Event()

    def hold() -> None:
        with locked_for(settings.root / "mlruns" / "mlflow.db", how):
            held.set()
            over.wait()

    def fail() -> None:
        thread.start()
        held.wait()
        began.append(time.monotonic())

    thread = threading.Thread(target=hold)
    if moment == "start":
        fail()
    made = trial(settings, f"{how}-{moment}".lower(), middle=fail if moment == "middle" else lambda: None)
    over.set()
    thread.join()
    figures = judged(made, max(began[0], made.began), healthy)
    healed(settings, made)
    return figures


def test_a_store_that_fails(
    server: tuple[str, int], make_project: Callable[[Path], Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each mood at the start and in the middle, twice in the middle of sending; locks of both kinds at both moments."""
    numbers = random.Random(SEED)
    plan = [(mood, moment, after) for mood in MOODS for moment, after in (
        ("start", 0), ("middle", 0), ("start", numbers.randrange(1, 6)), ("middle", numbers.randrange(1, 8)),
    )]  # fmt: skip
    plan += [("lost", "start", 0), ("lost", "middle", 0)]
    figures: list[tuple[float, float]] = []
    healthy = 0.0
    for number, (mood, moment, after) in enumerate([("well", "start", 0), *plan]):
        with misbehaving(server) as proxy:
            made = make_project(tmp_path / f"p{number}")
            settings = Settings(made.root, proxy.uri)
            monkeypatch.setenv("MLFLOW_TRACKING_URI", proxy.uri)
            if mood == "well":
                healthy = trial(settings, "healthy").seconds
                continue
            figures.append(server_trial(settings, proxy, mood, moment, after, healthy))
    for how, moment in (("EXCLUSIVE", "start"), ("IMMEDIATE", "middle")):
        settings = make_project(tmp_path / f"{how}-{moment}")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", settings.tracking_uri)
        figures.append(lock_trial(settings, how, moment, healthy))
    added, late = (max(column) for column in zip(*figures, strict=True))
    say(
        f"outage: {len(figures)}/20 kept and told once; healthy {healthy:.1f} s, at most {added:.1f} s more, "
        f"warned within {late:.1f} s"
    )
    assert len(figures) == 20


def test_sixteen_processes_at_a_fresh_project(make_project: Callable[[Path], Settings], tmp_path: Path) -> None:
    wrong: list[str] = []
    for number in range(CROWDS):
        settings = make_project(tmp_path / f"p{number}")
        shutil.rmtree(settings.mlruns)
        wrong += crowd(settings, RunFacts(name="crowd", run_kind="module"), 16)
        shutil.rmtree(settings.root)
    say(f"outage: 16 processes on a fresh project, {CROWDS} times: {len(wrong)} failures")
    assert wrong == []
