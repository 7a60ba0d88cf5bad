"""A run goes on where an earlier one stopped, and does not do again what is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from p2p.settings import Settings
from tests.journeys.workshop import Done, Workshop, digests
from tests.killed import make_trials
from tests.searching import files_with

PARAMETERS = """
    from pydantic import SecretStr
    month: int = 1
    token: SecretStr
"""
IN_BETWEEN = """
    import random, time
    drawn = [random.random() for _ in range(3)]
    began = time.time()
    calls = Path("calls.txt")

    def note(step):
        with calls.open("a") as file:
            file.write(step + chr(10))

    def halve(frame):
        frame["x"] = frame["x"] / 2
"""
LOAD = """
    %%step load
    import numpy as np
    import pandas as pd
    note("load")
    frame = pd.DataFrame({"x": np.random.normal(size=20) + month})
"""
SCALE = """
    %%step scale
    note("scale")
    halve(frame)
    total = float(frame["x"].sum())
"""
SHARE = """
    %%step share
    note("share")
    left = right = [total, random.random()]
"""
FUNCTION = """
    from p2p import step

    @step
    def spread(frame):
        note("spread")
        return float(frame["x"].min()), float(frame["x"].max() - random.random())

    low, high = spread(frame)
"""
MIDDLE = "np.random.shuffle(order := list(range(10)))\nright.append(began)"
STOP = """
    %%step stop
    import json, os
    note("stop")
    left.append(np.random.random())
    seen = {
        "drawn": drawn, "began": began, "order": order, "low": low, "high": high, "shared": right, "month": month,
        "x": frame["x"].tolist(), "total": total, "next": [random.random(), np.random.random()],
        "token": len(token.get_secret_value()),
    }
    runs = len(list(Path().glob("seen-*.json")))
    Path(f"seen-{runs}.json").write_text(json.dumps(seen))
    if runs == 0:
        os._exit(3)
"""
LAST = "%%step last\nnote('last')\nscore = round(sum(seen['shared']), 6)"
SECRET = "token=hunter2hunter2"


class Resumed:
    """A notebook whose step died, then went on, then went on once more with another cell."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        self.folder = workshop.root / "notebooks"
        self.path = self.write()
        self.first = workshop.p2p("run", str(self.path), "-p", "month=3", "-p", SECRET, "--json").answer
        other = workshop.write("other", "%%step load\nrows = 1")
        self.without_secret = self.resume(self.first)
        self.of_another = workshop.p2p("run", str(other), "--resume", self.first["key"], "--json")
        self.second = self.resume(self.first, "-p", SECRET).answer
        self.calls = self.called()
        self.of_finished = self.resume(self.second, "-p", SECRET)
        self.write(scale=SCALE.replace("sum()", "sum() + 1"))
        self.third = self.resume(self.first, "-p", SECRET).answer

    def write(self, scale: str = SCALE) -> Path:
        cells = ["from pathlib import Path", IN_BETWEEN, LOAD, scale, SHARE, FUNCTION, MIDDLE, STOP, LAST]
        return self.workshop.write("going", *cells, params=PARAMETERS)

    def resume(self, run: dict[str, Any], *arguments: str) -> Done:
        return self.workshop.p2p("run", str(self.path), "--resume", run["key"], *arguments, "--json")

    def called(self) -> list[str]:
        return (self.folder / "calls.txt").read_text().split()

    def seen(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / f"seen-{number}.json").read_text())
        return found


@pytest.fixture(scope="module")
def resumed(workshop: Workshop) -> Resumed:
    return Resumed(workshop)


def states(answer: dict[str, Any]) -> dict[str, str]:
    return {step["name"]: step["state"] for step in answer["steps"]}


RECALLED = dict.fromkeys(["load", "scale", "share", "spread"], "cached")


def test_a_notebook_goes_on_after_its_last_good_step(resumed: Resumed) -> None:
    assert (resumed.first["status"], resumed.first["failed_step"]) == ("FAILED", "stop")
    assert (resumed.second["status"], states(resumed.second)) == (
        "FINISHED", {**RECALLED, "stop": "done", "last": "done"},
    )  # fmt: skip
    assert {step["name"]: step["cached"] for step in resumed.second["steps"]}["load"] is True
    assert resumed.calls == ["load", "scale", "share", "spread", "stop", "stop", "last"]


def test_it_finds_all_as_the_first_run_had_it(resumed: Resumed) -> None:
    """What unmarked cells drew and timed, what steps changed in place, what is one object, where generators stand."""
    first, second = resumed.seen(0), resumed.seen(1)
    assert second == first
    assert len(first["shared"]) == 4  # two of the step, one of the cell through one name, one of the step through both
    assert first["month"] == 3
    records = [record for record in resumed.workshop.records(run_kind="notebook") if record.facts["name"] == "going"]
    before, after = digests(records[-1]), digests(records[-2])
    assert before
    assert {step: after[step] for step in before} == before


def test_the_new_run_names_the_old_one(resumed: Resumed) -> None:
    run = resumed.workshop.mlflow_run(resumed.second["run_id"])
    assert run.data.tags["p2p.resumed_from"] == resumed.first["key"]
    assert (run.info.status, run.data.params["month"]) == ("FINISHED", "3")
    old = resumed.workshop.mlflow_run(resumed.first["run_id"])
    assert (old.info.status, old.data.tags.get("p2p.resumed_from")) == ("FAILED", None)


def test_a_changed_cell_and_what_follows_from_it_run_anew(resumed: Resumed) -> None:
    changed = states(resumed.third)
    assert resumed.third["status"] == "FINISHED"
    assert (changed["load"], changed["scale"], changed["share"]) == ("cached", "done", "done")
    again = resumed.called()[len(resumed.calls) :]
    assert again[0] == "scale"
    assert "load" not in again
    totals = [resumed.seen(number)["total"] for number in (0, 2)]
    assert totals[1] == pytest.approx(totals[0] + 1)


def test_what_cannot_be_gone_on_with_is_refused(resumed: Resumed) -> None:
    for done, text in [
        (resumed.without_secret, "was given the secret 'token'"),
        (resumed.of_another, "not of the notebook 'other'"),
        (resumed.of_finished, "has finished: nothing is left to do"),
    ]:
        assert (done.code, text in done.out + done.err) == (2, True), done
        assert "hunter2" not in done.out + done.err
    assert files_with("hunter2hunter2", below=resumed.workshop.root / "mlruns") == []


@pytest.mark.soak
def test_equal_steps_of_another_run_are_not_run_again(workshop: Workshop) -> None:
    def run(number: int) -> dict[str, Any]:
        path = workshop.write(
            "twice", "%%step load\nimport mlflow\nrows = [1, 2, 3]\nmlflow.log_metric('rows', len(rows))",
            f"rows.append({number})", "%%step add\ntotal = sum(rows)",
        )  # fmt: skip
        answer: dict[str, Any] = workshop.p2p("run", str(path), "--json").answer
        return answer

    answers = [run(4), run(4), run(5)]
    assert [states(answer)["load"] for answer in answers] == ["done", "cached", "cached"]
    assert [states(answer)["add"] for answer in answers] == ["done", "cached", "done"]
    assert [answer["outputs"]["total"] for answer in answers] == [10, 10, 11]
    for answer in answers:
        assert workshop.mlflow_run(answer["run_id"]).data.metrics["rows"] == 3.0


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # MLflow's own
def test_a_module_that_is_killed_goes_on(tmp_path: Path, make_project: Callable[[Path], Settings]) -> None:
    """A few of the trials of the soak test."""
    done = make_trials([make_project(tmp_path / "one")], seed=5, trials=2)
    assert done.wrong == []
    assert [trial["ends"] for trial in done.trials].count("FINISHED") == 0
    assert (len(done.trials), done.running) == (2, 0)
