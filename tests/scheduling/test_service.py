"""The service at work: real schedulers, workers, kernels and runs, started and ended as people and systems do it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from p2p.model import RunStatus
from p2p.scheduling.ledger import Ledger
from p2p.scheduling.model import Tick, TickState
from p2p.scheduling.owners import utc_now
from p2p.scheduling.runs import last_run
from p2p.settings import Settings
from p2p.tracking.processes import Descendants
from tests.journeys.workshop import Workshop

PARAMETERS = "import datetime\nday: datetime.date = datetime.date(2026, 1, 1)\nn: int = 3"
FIRST = """%%step first
from pathlib import Path
with Path('calls').open('a') as f: f.write('first\\n')
rows = list(range(n))"""
HOLD = """%%step hold
import time
with Path('calls').open('a') as f: f.write('hold\\n')
while Path('hold.txt').exists(): time.sleep(0.05)
total = sum(rows)
"""
MAY_TAKE = 90.0  # seconds


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Settings]) -> Workshop:
    shop = Workshop(make_project(tmp_path_factory.mktemp("scheduled") / "project"))
    shop.write("held", FIRST, HOLD, params=PARAMETERS)
    return shop


@pytest.fixture
def schedulers(shop: Workshop) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts schedulers, which are ended with the test, and what they have started with them."""
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "p2p", "schedule", "start", "--patience", "1s", "--no-page"]
        process = subprocess.Popen(command, cwd=shop.root, env=shop.env, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        below = Descendants.of(process.pid)
        process.kill()
        process.communicate()
        below.kill()


def until(right: Callable[[], bool]) -> None:
    end = time.monotonic() + MAY_TAKE
    while not right():
        assert time.monotonic() < end
        time.sleep(0.05)


def only(ledger: Ledger, name: str) -> Tick:
    (tick,) = ledger.history(name)
    return tick


def test_a_killed_scheduler_s_tick_is_gone_on_with_after_its_last_good_step(
    shop: Workshop, schedulers: Callable[[], subprocess.Popen[str]]
) -> None:
    folder = shop.root / "notebooks"
    (folder / "hold.txt").touch()
    when = (utc_now() + timedelta(seconds=4)).isoformat(timespec="seconds")
    added = shop.p2p(
        "schedule",
        "add",
        f"at {when}",
        str(folder / "held.ipynb"),
        "-p",
        "day={logical_date}",
        "--name",
        "once",
        "--tz",
        "UTC",
        "--json",
    )
    assert added.code == 0, added.err
    assert added.answer["target"] == "notebooks/held.ipynb"
    ledger = Ledger(shop.settings.schedules)
    first = schedulers()
    until(lambda: "hold" in (folder / "calls").read_text().split() if (folder / "calls").exists() else False)
    first.kill()
    first.wait()
    second = schedulers()
    (folder / "hold.txt").unlink()
    until(lambda: only(ledger, "once").state.over)
    tick = only(ledger, "once")
    assert (tick.state, tick.attempts, tick.interruptions) == (TickState.DONE, 1, 1)
    assert (folder / "calls").read_text().split() == ["first", "hold", "hold"]
    run = last_run(shop.settings, tick)
    assert run is not None
    assert (run.status, run.facts["params"], run.facts["resumed_from"] != "") == (
        RunStatus.FINISHED, {"day": f"{tick.time:%Y-%m-%d}", "n": 3}, True,
    )  # fmt: skip
    assert {str(step.state) for step in run.steps} == {"cached", "done"}
    second.send_signal(signal.SIGTERM)
    _, log = second.communicate(timeout=30)
    assert second.returncode == 0
    told = [json.loads(line)["event"] for line in log.splitlines()]
    assert told == [
        "scheduler started",
        "tick taken from a dead scheduler",
        "tick begun",
        "tick ended",
        "scheduler ended",
    ]
    assert ledger.beats().keys() == set()
    ledger.close()


@pytest.mark.soak
def test_a_schedule_is_run_by_hand_and_filled_in(shop: Workshop) -> None:
    shop.write("odd", "%%step only\nassert n % 2, n\nodd = n", params="n: int = 1")
    shop.p2p("schedule", "add", "0 * * * *", "notebooks/odd.ipynb", "-p", "n={hour}", "--tz", "UTC")
    now = shop.p2p("schedule", "run", "odd", "--json")
    (tick,) = now.answer
    assert tick["state"] == ("done" if utc_now().hour % 2 else "failed"), now.err
    backfill = (
        "schedule",
        "backfill",
        "odd",
        "--from",
        "2026-01-31T01:00",
        "--to",
        "2026-01-31T03:30",
        "-j",
        "2",
        "--json",
    )
    filled = shop.p2p(*backfill)
    assert [(t["time"][11:16], t["state"]) for t in filled.answer] == [
        ("01:00", "done"),
        ("02:00", "failed"),
        ("03:00", "done"),
    ]
    assert (filled.code, filled.answer[1]["step"]) == (1, "only")
    again = shop.p2p(*backfill)
    assert "2 of 3 are done already" in again.err
    assert [t["run_id"] == u["run_id"] for t, u in zip(filled.answer, again.answer, strict=True)] == [True, False, True]
