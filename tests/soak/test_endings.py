"""Every ending that is no success, in every place where a run may live: none is left RUNNING, none is called FINISHED.

`P2P_SOAK_ROUNDS`, `P2P_SOAK_ENDINGS` and `P2P_SOAK_WAYS` (names, with commas) choose others than all, 10 times.
"""

from __future__ import annotations

import gc
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from p2p.settings import Settings
from tests.endings import ENDINGS, WAYS, Ended, Trial
from tests.killed import doctor, mlflow_runs, untold
from tests.soak.saying import say

pytestmark = [pytest.mark.soak, pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")]
ROUNDS = int(os.environ.get("P2P_SOAK_ROUNDS", "10"))
CHOSEN = os.environ.get("P2P_SOAK_ENDINGS", ",".join(ending.name for ending in ENDINGS)).split(",")
CHOSEN_WAYS = os.environ.get("P2P_SOAK_WAYS", ",".join(WAYS)).split(",")


def test_no_ending_is_taken_for_a_success(settings: Settings) -> None:
    chosen = [ending for ending in ENDINGS if ending.name in CHOSEN]
    trials = [Trial(settings, ending, way, n) for n in range(ROUNDS) for ending in chosen for way in CHOSEN_WAYS]
    with ThreadPoolExecutor(2) as both:
        ended = list(both.map(run, trials))
    gc.collect()  # event loops that jupyter_client's blocking clients leave open in threads
    wrong = [f"{found.name} {found.way}: {text}" for found in ended for text in found.wrong]
    wrong += doctor(settings)
    known = mlflow_runs(settings)
    wrong += untold(settings, known)
    say(f"endings: {figures(ended, known)}, {len(wrong)} broken invariants")
    assert wrong == []


def run(trial: Trial) -> Ended:
    try:
        return trial.run()
    except Exception as error:
        return Ended(trial.ending.name, trial.way, wrong=[f"{type(error).__name__}: {error}"])


def figures(ended: list[Ended], known: list[tuple[str, str]]) -> str:
    statuses = Counter(status for _, status in known)
    stopped = [found.seconds for found in ended if found.name in ("sigterm", "sigint") and found.way != "interactive"]
    slowest = f", stopped within {max(stopped):.2f} s" if stopped else ""
    said = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
    return (
        f"{len(CHOSEN)} endings x {len(CHOSEN_WAYS)} ways x {ROUNDS}: {len(ended)} runs, {said}{slowest}; "
        f"{statuses['RUNNING']} left RUNNING, {statuses['FINISHED']} FINISHED that were not"
    )
