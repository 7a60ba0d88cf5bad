"""A run of five steps is killed with `kill -9` anywhere, and resumed.

Its owner dies at a seeded operation (in writes to the store, to the journal, to leases and the cache), and in a third
of the trials its sidecar too, at a moment of its own (so also within calls to MLflow). `P2P_SOAK_TRIALS` and
`P2P_SOAK_SEED` choose others than the usual.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from p2p.settings import Settings
from tests.killed import Killed, make_trials
from tests.soak.saying import say

pytestmark = pytest.mark.soak
TRIALS = int(os.environ.get("P2P_SOAK_TRIALS", "200"))
SEED = int(os.environ.get("P2P_SOAK_SEED", "3"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # MLflow's own
def test_a_run_that_is_killed_anywhere_goes_on(tmp_path: Path, make_project: Callable[[Path], Settings]) -> None:
    done = make_trials([make_project(tmp_path / name) for name in ("one", "two")], seed=SEED, trials=TRIALS)
    say(f"kill points: {figures(done)}")
    assert done.wrong == []
    assert len(done.trials) == TRIALS


def figures(done: Killed) -> str:
    ends = ", ".join(f"{count} {end}" for end, count in sorted(Counter(t["ends"] for t in done.trials).items()))
    again = Counter(len(trial["again"]) for trial in done.trials)
    equal = sum(not trial["wrong"] for trial in done.trials)
    return (
        f"seed {SEED}, {equal}/{len(done.trials)} equal results; killed at {len({t['at'] for t in done.trials})} "
        f"different points of {done.operations} operations ({ends}), in {sum(t['sidecar'] for t in done.trials)} the "
        f"sidecar too; a step ran twice in {again[1]}, more than one in {sum(again.values()) - again[0] - again[1]}; "
        f"{done.sent} runs known to MLflow, {done.running} RUNNING, {len(done.wrong)} broken invariants"
    )
