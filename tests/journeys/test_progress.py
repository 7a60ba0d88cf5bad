"""A loop in a step, written with tqdm as people write it: in papermill's log, in the notebook, and below a cell."""

from __future__ import annotations

import json
import re
from typing import Any

from p2p.notebook import run_notebook
from p2p.tracking.moment import NAME
from tests.journeys.workshop import Workshop

LOOP = """
%%step train
import time
from tqdm import tqdm
for epoch in tqdm(range(8), desc="epochs"):
    time.sleep(0.1)
model = 8
"""


def outputs(path: Any, cell: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"][cell]["outputs"]
    return found


def test_papermill_s_log_has_the_steps_and_the_notebook_has_each_progress_as_it_ended(workshop: Workshop) -> None:
    inner = workshop.write("inner", "%%step one\nvalue = x", params="x: int = 1")
    path = workshop.write("loop", LOOP, f"%p2p run {inner}")
    out = workshop.root / "out.ipynb"
    done = workshop.python("-m", "papermill", "--engine", "p2p", "--log-output", str(path), str(out))
    assert done.code == 0, done.err
    assert "step train has started\n" in done.err
    assert re.search(r"^step train is done, \d\.\d\d s$", done.err, re.MULTILINE)
    shown = "".join("".join(output.get("text", ())) for output in outputs(out, -2))
    assert "epochs: 100%|██████████| 8/8" in shown
    below = next(output["data"] for output in outputs(out, -1) if output["output_type"] == "display_data")
    assert re.fullmatch(r"p2p run: ended after \d+\.\d s; steps: 1 done", "".join(below["text/plain"]))
    assert "<b>p2p run</b>" in "".join(below["text/html"])
    record = next(r for r in workshop.records(run_kind="notebook") if r.facts["name"] == "loop")
    assert not (record.directory / NAME).exists()
    assert "step_progress" not in (record.directory / "journal.jsonl").read_text(encoding="utf-8")


def test_whoever_watches_a_run_is_told_how_far_its_steps_are(workshop: Workshop, monkeypatch: Any) -> None:
    monkeypatch.setattr("os.environ", workshop.env)
    path = workshop.write("watched", LOOP.replace("range(8)", "range(9)"))
    heard: list[Any] = []

    def hear(event: Any) -> None:
        heard.append(event)
        if event["kind"] == "cell_finished":  # as a kernel that was killed in the middle leaves it
            (workshop.settings.runs / workshop.records()[0].key / NAME).write_text("{}")

    done = run_notebook(path, workshop.settings, watch=hear)
    assert not (workshop.settings.runs / done.key / NAME).exists()
    kinds = [event["kind"] for event in heard]
    moved = [event for event in heard if event["kind"] == "step_progress"]
    assert {(event["step"], event["description"], event["total"]) for event in moved} == {("train", "epochs", 9)}
    assert kinds.index("step_started") < kinds.index("step_progress") < kinds.index("step_finished")
    assert "step_progress" not in kinds[kinds.index("step_finished") :]
