"""Sizes that people have: 10,000 past runs, a long sweep, a frame of a gigabyte. What should not grow with them."""

from __future__ import annotations

import pytest

from benchmarks.speed.history import with_past
from benchmarks.speed.lines.points import prepare
from benchmarks.speed.measuring import Side, once, worker
from benchmarks.speed.projects import ready
from tests.soak.saying import say

pytestmark = pytest.mark.soak
GB = 1_000_000_000


def test_commands_do_not_take_longer_with_10_000_past_runs() -> None:
    found = {runs: once(Side(worker("past", 3), with_past(runs))) for runs in (10, 10_000)}
    names = ["status_cpu", "status_json_cpu", "doctor_cpu", "run", "sweep"]
    times = {name: found[10_000][name] / found[10][name] for name in names}
    say("10,000 past runs beside 10: " + ", ".join(f"{name} {ratio:.2f}x" for name, ratio in times.items()))
    assert max(times["status_cpu"], times["status_json_cpu"]) <= 1.5
    assert max(times["doctor_cpu"], times["run"], times["sweep"]) <= 1.3  # but for noise, 1


@pytest.mark.parametrize("target", ["tiny@1", "tiny.ipynb"])
def test_the_last_points_of_a_sweep_cost_what_the_first_did(target: str) -> None:
    found = once(Side(worker("long_sweep", target, 500), prepare))
    names = {"time": ("first_cpu", "last_cpu")} | {
        f"{process} {what}": (f"{process}_{what}_first", f"{process}_{what}_last")
        for what in ("memory", "files") for process in ("own", "worker")
    }  # fmt: skip
    times = {name: found[last] / found[first] for name, (first, last) in names.items()}
    told = ", ".join(f"{name} {ratio:.2f}x" for name, ratio in times.items())
    say(f"sweep of 500 points of {target}, the last 100 beside the first: {told}")
    assert times["time"] <= 1.2
    assert max(times["own memory"], times["worker memory"]) <= 1.1
    assert max(times["own files"], times["worker files"]) <= 1.0


@pytest.mark.parametrize("kind", ["floats", "texts"])
def test_a_frame_that_is_passed_on_is_in_memory_once(kind: str) -> None:
    ours, plain = (once(Side(worker("passed_on", how, kind, GB), ready))["peak"] for how in ("p2p", "plain"))
    say(f"1 GB of {kind} through three steps: {ours / 1e6:.0f} MB, plain Python {plain / 1e6:.0f} MB")
    assert ours - plain < 0.1 * GB
