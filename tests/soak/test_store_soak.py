"""A wrong byte is never a value; many processes, some killed, leave the store sound. Seeded; minutes."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest

from p2p.model import MISS
from p2p.settings import Settings
from p2p.store import DiskStore
from p2p.upkeep import Keep, prune
from tests.soak.saying import say
from tests.store.damage import DamagedStore, small_values, warnings_of
from tests.store.many import many_at_once, number_of, pool_value

pytestmark = pytest.mark.soak
SEED = 20261124


def found_in(damaged: DamagedStore, contents: list[bytes]) -> int:
    """How many of these contents the store took for a value."""
    return sum(damaged.find(data) is not MISS for data in contents)


def truncations(whole: bytes) -> list[bytes]:
    return [whole[: len(whole) * part // 64] for part in range(64) if len(whole) * part // 64 < len(whole)]


def test_every_byte_of_small_values_flipped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    values = small_values()
    size = flips = cuts = wrong = 0
    for place, value in enumerate(values.values()):
        damaged = DamagedStore(tmp_path / str(place), value)
        bits = [(at, 1 << bit) for at in range(len(damaged.whole)) for bit in range(8)]
        cut = truncations(damaged.whole)
        wrong += sum(damaged.find_flipped(*bit) is not MISS for bit in bits) + found_in(damaged, cut)
        size, flips, cuts = size + len(damaged.whole), flips + len(bits), cuts + len(cut)
        assert damaged.is_found_when_put_again()
    warned = len(warnings_of(caplog))
    say(f"flipped bits, small values: {len(values)} values, {size} bytes, {flips} flips, {cuts} truncations, "
          f"{wrong} wrong, {warned} warnings")  # fmt: skip
    assert len(values) >= 20
    assert (wrong, warned) == (0, flips + cuts)


def test_random_bytes_of_a_large_value_flipped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    choose = random.Random(SEED)
    damaged = DamagedStore(tmp_path, np.random.default_rng(SEED).normal(size=655_360))
    wrong = 0
    for _ in range(5_000):
        wrong += damaged.find_flipped(choose.randrange(len(damaged.whole)), 1 << choose.randrange(8)) is not MISS
    cut = truncations(damaged.whole)
    wrong += found_in(damaged, cut)
    warned = len(warnings_of(caplog))
    say(f"flipped bytes, {len(damaged.whole) / 1e6:.1f} MB: 5000 flips, {len(cut)} truncations, "
          f"{wrong} wrong, {warned} warnings")  # fmt: skip
    assert damaged.is_found_when_put_again()
    assert (wrong, warned) == (0, 5_000 + len(cut))


def test_sixteen_processes_four_of_them_killed(tmp_path: Path) -> None:
    worked = many_at_once(tmp_path, processes=16, operations=500, killed=4, seed=SEED)
    settings = Settings(tmp_path, "")
    files = [path for path in settings.values.rglob("*") if path.is_file()]
    rests = sum(path.name.endswith(".tmp") for path in files)
    store = DiskStore(settings.values)
    broken = sum(number_of(store.find(store.put(pool_value(number)))) != number for number in range(1, 40))
    prune(settings, Keep(runs=0, limit=0, grace=-1))
    left = [path for path in settings.values.rglob("*") if path.is_file() and path.name != ".lock"]
    done = ", ".join(f"{count} {name}" for name, count in sorted(worked.done.items()))
    say(f"store, 16 processes: {worked.done.total()} operations by the living ({done}), {worked.killed} "
          f"killed, {len(worked.wrong) + broken} wrong, {len(worked.errors)} errors, {rests} unfinished files, "
          f"{len(left)} after a prune ({os.cpu_count()} processors)")  # fmt: skip
    assert (worked.wrong, worked.errors, broken, left) == ([], [], 0, [])
    assert worked.killed == 4
