"""Schedulers that are killed at random while they share a ledger: each tick is done once, whatever happens."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from p2p.scheduling.ledger import Ledger
from p2p.scheduling.model import Missed, Overlap, Schedule
from p2p.scheduling.owners import utc_now

REPOSITORY = Path(__file__).resolve().parents[2]
MAY_TAKE = 900.0  # seconds


def began(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.scheduling.plain", str(folder)], cwd=REPOSITORY, stdin=subprocess.PIPE
    )


def run_killed(folder: Path, schedulers: int, ticks: int, chance: random.Random) -> dict[str, int]:
    """Run that many ticks by schedulers of which one is killed every moment; what was done, by how often."""
    ledger = Ledger(folder / "schedules.db", durable=False)
    since = utc_now() - timedelta(minutes=ticks, seconds=1)
    for name in ("a", "b"):
        told = Schedule(
            name=name, target="x", when="every 2 min", missed=Missed.ALL, most=ticks, grace=1.0, overlap=Overlap.QUEUE,
            at_once=3,
        )  # fmt: skip
        ledger.add(told, since)
    living = [began(folder) for _ in range(schedulers)]
    kills, limit = 0, time.monotonic() + MAY_TAKE
    while time.monotonic() < limit:
        time.sleep(chance.uniform(0.2, 1.2))
        if not ledger.open_ticks() and ledger.history("a", 1) and ledger.history("b", 1):
            break
        killed = living.pop(chance.randrange(len(living)))
        killed.kill()
        killed.communicate()
        kills += 1
        living.append(began(folder))
    for process in living:
        process.kill()
        process.communicate()
    states = Counter(str(tick.state) for name in ("a", "b") for tick in ledger.history(name, -1))
    done = [len(path.read_text().split()) for path in folder.glob("*.done")]
    begun = sum(len(path.read_text().split()) for path in folder.glob("*.begun"))
    ledger.close()
    return {
        **{f"ticks {state}": count for state, count in states.items()}, "done once": done.count(1),
        "done more often": sum(n > 1 for n in done), "begun": begun, "kills": kills,
    }  # fmt: skip


def check(found: dict[str, int], ticks: int) -> None:
    assert found["ticks done"] >= ticks, found  # some came due while it ran
    assert [name for name in found if name.startswith("ticks")] == ["ticks done"], found
    assert found["done more often"] == 0, found
    assert found["done once"] == found["ticks done"], found
    assert found["begun"] >= found["done once"], found


def test_ticks_are_done_once_by_two_schedulers_that_are_killed(tmp_path: Path) -> None:
    check(run_killed(tmp_path, 2, 40, random.Random(7)), 40)


@pytest.mark.soak
@pytest.mark.parametrize("schedulers", [2, 4])
def test_a_thousand_ticks_by_schedulers_that_are_killed(tmp_path: Path, schedulers: int) -> None:
    from tests.soak.saying import say

    found = run_killed(tmp_path, schedulers, 1000, random.Random(schedulers))
    say(f"{schedulers} schedulers: {found}")
    check(found, 1000)
