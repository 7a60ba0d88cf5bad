from __future__ import annotations

import random
import subprocess
import sys

import pytest

from p2p.export.causes import GENERATOR, HIDDEN, OUTSIDE, SET_ORDER, likeliest, sign
from p2p.export.verify import Seed

PROGRAMS = {
    "import random; print(random.random())": GENERATOR,
    "print(list({'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'}))": SET_ORDER,
    "print(1)": HIDDEN,
    "import os; print(os.urandom(8))": sign("os.urandom(8)"),
    "import time; print(time.perf_counter_ns())": sign("time.perf_counter_ns()"),
    "import threading; print(open('/proc/sys/kernel/random/uuid').read())": OUTSIDE,
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_cause_is_found_by_running_from_other_seeds(program: str) -> None:
    def rerun(seed: Seed) -> str:
        seeded = f"import random; random.seed({seed.generators}); {program}"
        return subprocess.run(
            [sys.executable, "-S", "-c", seeded], env={"PYTHONHASHSEED": str(seed.hashes)}, capture_output=True,
            text=True, check=True,
        ).stdout  # fmt: skip

    assert likeliest(program, rerun) == PROGRAMS[program]


def test_no_more_runs_than_it_takes() -> None:
    seen: list[Seed] = []

    def rerun(seed: Seed) -> float:
        seen.append(seed)
        return random.Random(seed.generators).random()

    assert likeliest("", rerun) is GENERATOR
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("pd.Timestamp.now()", "the clock"),
        ("rng = np.random.default_rng()", "entropy"),
        ("pd.read_csv('https://example.org/a.csv')", "the network"),
        ("np.empty(3)", "uninitialized memory"),
        ("os.getpid()", "the process"),
    ],
)
def test_the_text_tells_what_lies_outside(text: str, what: str) -> None:
    found = sign(text)
    assert found is not None
    assert what in found.what


def test_a_seeded_generator_is_no_sign() -> None:
    assert sign("rng = np.random.default_rng(0)\nx = np.zeros(3)") is None
