"""What the panel answers, asked as its page asks: over real runs, a real notebook and real commands."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import p2p
from p2p.errors import P2PError
from p2p.outline import Outline, Ranning, outline
from p2p.session import here
from p2p.settings import Settings
from p2p.widgets.answering import Panel, panel
from tests.browser.conftest import write

LOOP = "import time\nfrom tqdm import tqdm\nraw = [time.sleep(0.1) or n for n in tqdm(range(rows), desc='rows')]"
CELLS = (
    "%load_ext p2p", "rows: int = 3  # how many\nname: str = 'x'", f"%%step load\n{LOOP}",
    "%%step total(raw) -> mean\nimport mlflow\nmean = sum(raw) / len(raw)\nmlflow.log_metric('mean', mean)",
)  # fmt: skip


class Kernel:
    """A kernel in which nothing has run but what a test says."""

    headless = False

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.ranning = Ranning()

    def file(self) -> Path | None:
        return self.path

    def outline(self) -> Outline:
        from p2p.notebook import read_notebook

        return outline(read_notebook(self.path).cells if self.path is not None else [])

    def run_stale(self) -> str:
        return "all has run"


class Asker:
    """Asks as the page does, and waits for the answer."""

    def __init__(self, panel: Panel) -> None:
        self.panel = panel
        self.heard: list[dict[str, Any]] = []
        self._more = threading.Condition()
        panel.connect(self._hear)

    def _hear(self, message: Mapping[str, Any]) -> None:
        with self._more:
            self.heard.append(dict(message))
            self._more.notify_all()

    def ask(self, what: str, **data: Any) -> Any:
        number = len(self.heard) + 1000
        self.panel.asked({"id": number, "ask": what, **data})
        return self.wait(lambda message: message.get("id") == number)["answer"]

    def wait(self, right: Callable[[Mapping[str, Any]], bool], seconds: float = 120) -> dict[str, Any]:
        end = time.monotonic() + seconds
        with self._more:
            while not (found := [message for message in self.heard if right(message)]):
                assert self._more.wait(end - time.monotonic()), self.heard
            return found[-1]


@pytest.fixture
def kernel(settings: Settings) -> Kernel:
    path = settings.root / "notebooks" / "totals.ipynb"
    write(path, *CELLS, parameters=1)
    return Kernel(path)


@pytest.fixture
def asker(kernel: Kernel) -> Iterator[Asker]:
    made = Panel(kernel)
    try:
        yield Asker(made)
    finally:
        made.close()


def ran(asker: Asker, **text: str) -> dict[str, Any]:
    """Run the notebook from the form; gives how it ended."""
    before = len(asker.heard)
    assert asker.ask("run", text=text)["problems"] == {}
    return asker.wait(lambda m: m in asker.heard[before:] and m.get("kind") in ("ended", "refused"))


def test_the_graph_has_the_steps_and_what_passes_between_them(asker: Asker, kernel: Kernel) -> None:
    found = asker.ask("steps")
    assert [(node["name"], node["state"], node["column"]) for node in found["nodes"]] == [
        ("load", "never", 0), ("total", "never", 1),
    ]  # fmt: skip
    assert found["edges"] == [{"from": "load", "to": "total", "values": ["raw"]}]
    assert found["notebook"] == "totals.ipynb"


def test_a_step_that_runs_is_pushed_at_once(asker: Asker, kernel: Kernel) -> None:
    kernel.ranning.cell(CELLS[2])
    kernel.ranning.append("step_started", step="load", parent="", inputs={})
    here.changed()
    pushed = asker.wait(lambda message: message.get("push") == "steps")
    assert pushed["nodes"][0]["state"] == "running"
    asker.panel.close()
    before = len(asker.heard)
    here.changed()
    assert len(asker.heard) == before


def test_how_far_a_step_is_is_pushed_and_forgotten_at_its_end(asker: Asker, kernel: Kernel) -> None:
    kernel.ranning.cell(CELLS[2])
    kernel.ranning.append("step_started", step="load", parent="", inputs={})
    moved = {"description": "rows", "n": 43, "total": 100, "unit": "it", "rate": None}
    kernel.ranning.append("step_progress", step="load", id="a", parent="", **moved)
    here.moved("load")
    pushed = asker.wait(lambda message: message.get("push") == "progress")
    assert (pushed["name"], pushed["progress"]) == ("load", {"short": "43 %", "line": "rows 43/100"})
    assert asker.ask("steps")["nodes"][0]["progress"] == pushed["progress"]
    kernel.ranning.append("step_progress", step="inner", id="b", parent="load", **{**moved, "n": 99})
    assert asker.ask("steps")["nodes"][0]["progress"] == pushed["progress"]
    kernel.ranning.append("step_finished", step="load", parent="", state="done", seconds=1, attempts=1, outputs={})
    assert asker.ask("steps")["nodes"][0]["progress"] is None
    asker.panel.close()
    before = len(asker.heard)
    here.moved("load")
    assert len(asker.heard) == before


def test_a_step_is_told_with_its_code_and_what_it_has_taken_and_given(asker: Asker, kernel: Kernel) -> None:
    ref = {"type": "builtins.list", "digest": "d", "shape": [3], "nbytes": 9, "preview": "[0, 1, 2]", "codec": "json"}
    kernel.ranning.cell(CELLS[2])
    kernel.ranning.append("step_started", step="load", parent="", inputs={"rows": {"digest": None}})
    kernel.ranning.append(
        "step_finished", step="load", parent="", state="done", seconds=1.5, attempts=2, outputs={"raw": ref}
    )
    step = asker.ask("step", name="load")
    assert (step["state"], step["seconds"], step["attempts"]) == ("done", 1.5, 2)
    assert "for n in tqdm(range(rows), desc='rows')" in step["code"]
    assert step["outputs"] == [{"name": "raw", "type": "list", "shape": "3", "size": "9 B", "preview": "[0, 1, 2]"}]
    assert [one["name"] for one in step["inputs"]] == ["rows"]
    assert asker.ask("step", name="nobody") == {"name": "nobody", "gone": True}


def test_the_form_is_checked_and_nothing_runs_while_it_is_wrong(asker: Asker) -> None:
    assert [field["name"] for field in asker.ask("form")["fields"]] == ["rows", "name"]
    assert asker.ask("check", text={"rows": "4"})["problems"] == {}
    assert "rows must be a valid integer" in asker.ask("run", text={"rows": "many"})["problems"]["rows"]
    assert not any(message.get("push") == "run" for message in asker.heard)


@pytest.mark.soak  # three runs; the browser's tests do the same with two
def test_runs_from_the_form_are_followed_listed_compared_and_plotted(asker: Asker, settings: Settings) -> None:
    ended = ran(asker, rows="5")
    assert (ended["status"], ended["failed_step"]) == ("FINISHED", "")
    told = [(m["kind"], m.get("step")) for m in asker.heard if m.get("push") == "run"]
    assert told[0] == ("began", None)
    assert ("step_finished", "total") in told
    moved = [m["line"] for m in asker.heard if m.get("kind") == "step_progress"]
    assert any(line.split(" · ")[1].startswith("rows ") and "/5" in line for line in moved), moved
    ran(asker, rows="7")
    failed = ran(asker, rows="0")
    assert (failed["status"], failed["failed_step"]) == ("FAILED", "total")
    assert failed["way_in"] == f"p2p debug {failed['run_id']} --step total"
    page = asker.ask("runs")
    assert [row["params"]["rows"] for row in page["rows"]] == ["0", "7", "5"]
    assert (page["total"], page["pages"], page["columns"]) == (3, 1, {"params": ["rows"], "metrics": ["mean"]})
    assert [r["params"]["rows"] for r in asker.ask("runs", sort="params:rows", down=False)["rows"]] == ["0", "5", "7"]
    assert [r["params"]["rows"] for r in asker.ask("runs", sort="metrics:mean", down=True)["rows"]] == ["7", "5", "0"]
    assert asker.ask("runs", status="FAILED")["total"] == 1
    assert asker.ask("runs", text="division")["total"] == 1
    assert asker.ask("runs", page=99)["page"] == 0
    later, earlier = page["rows"][1]["key"], page["rows"][2]["key"]
    told_apart = asker.ask("compare", first=later, second=earlier)
    assert {"what": "parameter", "name": "rows", "before": "5", "after": "7"} in told_apart["differences"]
    assert [point["value"] for point in asker.ask("plot", metric="mean")["points"]] == [2.0, 3.0]


def test_a_run_at_work_is_not_begun_twice_and_can_be_stopped(settings: Settings) -> None:
    path = settings.root / "notebooks" / "slow.ipynb"
    write(path, "%load_ext p2p", "n: int = 1", "%%step slow\nimport time\ntime.sleep(60)\nx = n", parameters=1)
    made = Panel(Kernel(path))
    asker = Asker(made)
    assert asker.ask("run", text={})["problems"] == {}
    asker.wait(lambda message: message.get("kind") == "step_started")
    assert "A run of this panel is at work" in asker.ask("run", text={})["problem"]
    assert asker.ask("stop") == {"stopped": True}
    ended = asker.wait(lambda message: message.get("kind") == "ended")
    assert ended["status"] == "KILLED"
    assert asker.ask("stop") == {"stopped": False}
    assert p2p.runs("slow")[0].status == "KILLED"
    made.close()


def test_what_goes_wrong_is_answered(asker: Asker, kernel: Kernel) -> None:
    assert kernel.path is not None
    assert "no command of the panel" in asker.ask("ship", command="store")["problem"]
    kernel.path.write_text("{")
    assert "not valid JSON" in asker.ask("form")["problem"]
    assert "problem" in asker.ask("compare", first="no", second="such")
    before = len(asker.heard)
    for nonsense in (None, 3, {}, {"ask": "rm"}, {"ask": ["steps"]}):
        asker.panel.asked(nonsense)
    assert len(asker.heard) == before


def test_shipping_is_done_by_the_commands(asker: Asker) -> None:
    assert asker.ask("standing") == {"rows": []}
    told = asker.ask("ship", command="promote", arguments=["totals@1"])
    assert "totals" in told["problem"]


def test_without_a_file_the_panel_has_no_form_and_no_export(settings: Settings) -> None:
    made = Panel(Kernel(None))
    asker = Asker(made)
    assert asker.ask("steps")["notebook"] == "this session"
    assert "Nobody tells which notebook" in asker.ask("form")["problem"]
    assert "Nobody tells which notebook" in asker.ask("ship", command="export")["problem"]
    made.close()


def test_a_panel_belongs_to_a_kernel_and_is_a_table_where_nobody_looks(kernel: Kernel) -> None:
    with pytest.raises(P2PError, match="Run %load_ext p2p first"):
        panel()
    kernel.headless = True
    here.enter(kernel)
    try:
        shown = panel()
        assert "totals.ipynb: 2 has not run here" in repr(shown)
        assert "<table" in shown._repr_html_()
    finally:
        here.leave()
