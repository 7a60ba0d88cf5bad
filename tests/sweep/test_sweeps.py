"""Sweeps of a real notebook, as a person gives the commands. What costs seconds is done once and looked at by many."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from p2p.secrets import MASK
from p2p.settings import Settings
from p2p.tracking import RunRecord, read_events
from p2p.tracking.owner import Life, Owner, life_of
from tests.journeys.workshop import Workshop
from tests.mlflowside import ended

PARAMETERS = "from pydantic import SecretStr\nx: int = 1\ntitle: str = 't'\ntoken: SecretStr = 'none'"
LOAD = """
    %%step load
    from pathlib import Path
    import mlflow
    rows = [1, 2, 3]
    with Path("calls.txt").open("a") as calls:
        calls.write(f"load {x}" + chr(10))
"""
SCORE = """
    %%step score
    if x == 2 and not Path("mended.txt").exists():
        raise ValueError("two " + token.get_secret_value())
    with Path("calls.txt").open("a") as calls:
        calls.write(f"score {x}" + chr(10))
    mlflow.log_metric("doubled", 2 * x)
    scores = {"auc": sum(rows) * x, "note": title}
"""
# What the cell starts does not end with its kernel, as its session is another.
WAIT = """%%step wait
import subprocess, time
from pathlib import Path
child = subprocess.Popen(["sleep", "600" if x > 1 else "0"], start_new_session=True, stdout=-3, stderr=-3)
Path(f"NAME-{x}.tmp").write_text(str(child.pid))
Path(f"NAME-{x}.tmp").rename(f"NAME-{x}")
child.wait()
del child
"""
SECRET = "hunter2hunter2"
MAY_TAKE = 60.0  # seconds


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Settings]) -> Workshop:
    return Workshop(make_project(tmp_path_factory.mktemp("swept") / "project"))


class Swept:
    """A sweep that stopped at a failure, the same gone on with, and one that nothing interrupted."""

    def __init__(self, shop: Workshop) -> None:
        self.shop = shop
        self.path = shop.write("score", LOAD, SCORE, params=PARAMETERS)
        values = ("-p", "x=1,2,3", "-p", f"token={SECRET}", "-p", "title==1+1")
        self.first = shop.p2p("sweep", str(self.path), *values, "--json")
        self.resume = ("sweep", str(self.path), "--resume", self.first.answer["key"], "--json")
        self.without_secret = shop.p2p(*self.resume)
        (self.path.parent / "mended.txt").touch()
        self.second = shop.p2p(*self.resume, "-p", f"token={SECRET}")
        self.calls = (self.path.parent / "calls.txt").read_text().splitlines()
        self.whole = shop.p2p("sweep", str(self.path), *values, "-j", "2", "--no-cache", "--json")
        shop.write("score", LOAD, SCORE + "\n    y = 1", params=PARAMETERS)
        self.changed = shop.p2p(*self.resume, "-p", f"token={SECRET}")
        self.records: dict[str, RunRecord] = {record.key: record for record in shop.records()}


@pytest.fixture(scope="module")
def swept(shop: Workshop) -> Swept:
    return Swept(shop)


def points(answer: dict[str, Any]) -> list[tuple[int, str | None, bool]]:
    return [(point["parameters"]["x"], point["status"], point["kept"]) for point in answer["points"]]


def test_a_sweep_stops_at_the_first_failure_and_says_so(swept: Swept) -> None:
    assert (swept.first.code, swept.first.answer["status"]) == (1, "FAILED")
    assert points(swept.first.answer) == [(1, "FINISHED", False), (2, "FAILED", False), (3, None, False)]
    failed = swept.first.answer["points"][1]
    assert (failed["failed_step"], failed["error"]) == ("score", f"ValueError: two {MASK}")
    assert swept.first.answer["debug"] == f"p2p debug {failed['run_id']} --step score"
    assert swept.second.answer["debug"] is None


def test_a_resumed_sweep_keeps_what_finished_and_goes_on_after_the_last_good_step(swept: Swept) -> None:
    assert (swept.second.code, swept.second.answer["status"]) == (0, "FINISHED")
    assert points(swept.second.answer) == [(1, "FINISHED", True), (2, "FINISHED", False), (3, "FINISHED", False)]
    assert swept.calls == ["load 1", "score 1", "load 2", "score 2", "load 3", "score 3"]
    again = swept.records[swept.second.answer["points"][1]["key"]]
    assert again.facts["resumed_from"] == swept.first.answer["points"][1]["key"]


def test_an_interrupted_and_resumed_sweep_has_the_same_table_as_one_that_was_not(swept: Swept) -> None:
    def table(answer: dict[str, Any]) -> list[dict[str, str]]:
        own = ("seconds", "run_id", "run")
        with Path(answer["table"]).open(newline="") as file:
            return [{name: cell for name, cell in row.items() if name not in own} for row in csv.DictReader(file)]

    assert swept.whole.code == 0
    assert table(swept.second.answer) == table(swept.whole.answer)
    assert [row["metrics.scores.auc"] for row in table(swept.whole.answer)] == ["6", "12", "18"]
    assert [row["metrics.doubled"] for row in table(swept.whole.answer)] == ["2.0", "4.0", "6.0"]
    assert {row["params.title"] for row in table(swept.whole.answer)} == {"'=1+1"}


def test_mlflow_nests_the_points_below_the_sweep(swept: Swept) -> None:
    parent = swept.shop.mlflow_run(swept.whole.answer["run_id"])
    assert (parent.info.status, parent.data.tags["p2p.kind"]) == ("FINISHED", "sweep")
    assert (parent.data.params["x"], parent.data.params["title"]) == ("[1, 2, 3]", "=1+1")
    assert parent.data.metrics == {"points": 3, "points_finished": 3, "points_failed": 0}
    assert "sweep.csv" in [file.path for file in swept.shop.client.list_artifacts(parent.info.run_id)]
    runs = [swept.shop.mlflow_run(point["run_id"]) for point in swept.whole.answer["points"]]
    assert {run.data.tags["mlflow.parentRunId"] for run in runs} == {parent.info.run_id}
    assert {run.data.tags["p2p.sweep"] for run in runs} == {swept.whole.answer["key"]}
    assert [run.data.tags["p2p.point"] for run in runs] == ["1", "2", "3"]
    assert [run.data.params["x"] for run in runs] == ["1", "2", "3"]


def test_a_point_leaves_no_page_unless_it_is_asked_for(swept: Swept) -> None:
    folder = swept.records[swept.whole.answer["points"][0]["key"]].directory
    assert sorted(path.suffix for path in folder.glob("score.*")) == [".ipynb"]


@pytest.mark.parametrize(
    ("which", "told"), [("without_secret", "was given the secret 'token'"), ("changed", "The notebook has changed")]
)
def test_what_cannot_be_gone_on_with_is_refused(swept: Swept, which: str, told: str) -> None:
    done = getattr(swept, which)
    assert (done.code, told in done.answer["error"]) == (2, True)


def test_no_secret_is_written_or_shown(swept: Swept) -> None:
    from tests.searching import files_with

    assert files_with(SECRET, below=swept.shop.root / "mlruns") == []
    for done in (swept.first, swept.second, swept.whole):
        assert SECRET not in done.out + done.err


def test_bad_points_start_nothing(shop: Workshop) -> None:
    path = shop.write("refused", LOAD, params=PARAMETERS)
    file = shop.root / "points.csv"
    file.write_text("x,title\n1,a\nnan,b\ninf,c\n")
    done = shop.p2p("sweep", str(path), "-f", str(file), "--json")
    assert done.code == 2
    assert "Line 3 of points.csv: x must be" in done.answer["error"]
    assert "Line 4 of points.csv: x must be" in done.answer["error"]
    assert [record for record in shop.records() if record.facts["name"] == "refused"] == []


def sweeping(shop: Workshop, name: str) -> tuple[subprocess.Popen[str], Path]:
    """A sweep of which one point has finished and two are at work."""
    path = shop.write(name, WAIT.replace("NAME", name), params="x: int = 1")
    process = shop.start("sweep", str(path), "-p", "x=1,2,3,4", "-j", "2")
    limit = time.monotonic() + MAY_TAKE
    while not all((path.parent / f"{name}-{x}").exists() for x in (1, 2, 3)):
        assert time.monotonic() < limit
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    return process, path


def runs(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def nothing_is_left(shop: Workshop, name: str) -> list[str]:
    """Assert that all runs are KILLED but the first, also in MLflow, and their kernels gone; gives their statuses."""
    records = [record for record in shop.records() if record.facts["name"] == name]
    kernels = [
        event["process"] for r in records for event in read_events(r.directory) if event["kind"] == "kernel_started"
    ]
    limit = time.monotonic() + MAY_TAKE
    children = [int((shop.root / "notebooks" / f"{name}-{x}").read_text()) for x in (2, 3)]
    while any(life_of(Owner.from_dict(kernel)) is Life.ALIVE for kernel in kernels) or any(map(runs, children)):
        assert time.monotonic() < limit, [pid for pid in children if runs(pid)]
        time.sleep(0.1)
    while any(record.status == "RUNNING" or not record.run_id for record in records):
        assert time.monotonic() < limit
        time.sleep(0.2)
        records = [record for record in shop.records() if record.facts["name"] == name]
    assert len(kernels) == 3
    assert {ended(shop.settings, r.run_id).info.status == r.status.value for r in records} == {True}
    return sorted(f"{record.facts['run_kind']} {record.status}" for record in records)


LEFT = ["notebook FINISHED", "notebook KILLED", "notebook KILLED", "sweep KILLED"]


def test_ctrl_c_ends_all_runs_and_says_how_to_go_on(shop: Workshop) -> None:
    process, path = sweeping(shop, "stopped")
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=MAY_TAKE)
    assert process.returncode == 130
    assert time.monotonic() - began < 20  # 2 s on a machine that does nothing else
    assert f"go on with it: p2p sweep {path} --resume" in err
    assert [line.split()[2:4] for line in out.splitlines()[1:5]] == [
        ["✓", "finished"], ["■", "killed"], ["■", "killed"], ["not", "started"],
    ]  # fmt: skip
    assert nothing_is_left(shop, "stopped") == LEFT


@pytest.mark.soak
def test_a_sweep_that_is_killed_leaves_no_run_and_no_kernel(shop: Workshop) -> None:
    """Its one sidecar, which fed all of its runs, ends them."""
    process, _ = sweeping(shop, "killed")
    started = psutil.Process(process.pid).children(recursive=True)
    assert sum("p2p.tracking.sidecar" in child.cmdline() for child in started) == 1
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert nothing_is_left(shop, "killed") == LEFT


@pytest.mark.soak
def test_a_step_that_all_points_have_in_common_is_run_once(shop: Workshop) -> None:
    """Both kernels come to it at about the same time, long before it has ended."""
    load = "%%step load\nimport time\ntime.sleep(4)\nrows = [1, 2, 3]"
    path = shop.write("common", load, "%%step add\ntotal = x * sum(rows)", params="x: int = 1")
    done = shop.p2p("sweep", str(path), "-p", "x=1,2", "-j", "2", "--json").answer
    assert [point["measures"]["total"] for point in done["points"]] == [6, 12]
    records = [record for record in shop.records(run_kind="notebook") if record.facts["name"] == "common"]
    states = sorted(step.state.value for record in records if (step := record.step("load")) is not None)
    assert states == ["cached", "done"]
