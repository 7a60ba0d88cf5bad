"""A pipeline fails, its failing step is opened as a notebook, mended there, and the fix goes home and out again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from p2p.drift.hand import open_version
from p2p.history import runs
from tests.journeys.workshop import Done, Workshop

CELLS = (
    "import statistics as st\n\nRATE = 0.2\n\ndef gross(net):\n    return net * (1 + RATE)",
    "%%step load\nrows = [float(n) for n in range(1, size + 1)]\nprint('loading')",
    "%%step average(rows) -> mean  # of what there is\nmean = gross(st.fmean(rows))",
)
EXECUTE = """
import sys
from pathlib import Path
import nbformat
from nbclient import NotebookClient
path = Path(sys.argv[1])
found = nbformat.read(path, 4)
nbformat.validate(found)
try:
    NotebookClient(found, timeout=120, resources={"metadata": {"path": str(path.parent)}}).execute()
finally:
    nbformat.write(found, path)
"""


def executed(workshop: Workshop, path: Path) -> Done:
    return workshop.python("-c", EXECUTE, str(path))


@pytest.mark.soak
def test_a_failed_step_is_mended_in_its_notebook_and_goes_out_as_the_next_version(workshop: Workshop) -> None:
    source = workshop.write("sums", *CELLS, params="size: int = 3")
    assert workshop.p2p("export", str(source)).code == 0
    before = source.read_text(encoding="utf-8")
    failed = workshop.p2p("run", "sums", "-p", "size=0", "--json")
    assert failed.code == 1

    record = workshop.records(run_kind="module")[0]
    opened = workshop.p2p("debug", record.run_id[:10], "--json")
    assert opened.code == 0, opened.err
    assert opened.answer["step"] == "average"
    path = workshop.root / opened.answer["notebook"]
    assert path == workshop.root / "debug" / f"sums-average-{record.run_id[:8]}.ipynb"
    head = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
    assert "parameter size: 3 -> 0" in head
    assert "input rows: [1.0,2.0,3.0] -> []" in head

    known = len(workshop.records())
    again = executed(workshop, path)
    assert again.code == 1
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    broken = [(c["id"], o["ename"], o["evalue"]) for c in cells for o in c.get("outputs", ()) if "ename" in o]
    kind, _, message = record.steps[-1].error.partition(": ")
    assert broken == [("p2p-call", kind, message)]
    assert "loading" not in again.out + str([c.get("outputs") for c in cells])
    assert len(workshop.records()) == known

    mend(path, "st.fmean(rows)", "st.fmean(rows) if rows else 0.0")
    assert executed(workshop, path).code == 0
    pulled = workshop.p2p("pull", str(path), "--json")
    assert pulled.code == 0, pulled.err
    assert (pulled.answer["cells"], pulled.answer["pulled"], pulled.answer["version"]) == ([4], ["average"], "sums@1")
    assert source.read_text(encoding="utf-8") == before.replace("fmean(rows)", "fmean(rows) if rows else 0.0")
    assert open_version("sums", 1, workshop.settings).changed == ()

    exported = workshop.p2p("export", str(source), "--json")
    assert (exported.code, exported.answer["version"]) == (0, 2), exported.err
    assert workshop.p2p("run", "sums@2", "-p", "size=0").code == 0
    assert runs("sums@2", settings=workshop.settings)[0]["average"]["mean"] == 0.0


def test_a_run_at_its_time_that_failed_opens_at_its_failing_step(workshop: Workshop) -> None:
    """With what the step took in that time, not what it takes by the notebook's own parameters."""
    source = workshop.write("few", CELLS[1], "%%step check(rows) -> most\nassert len(rows) < 4, rows\nmost = max(rows)",
                            params="size: int = 3")  # fmt: skip
    added = workshop.p2p("schedule", "add", "@daily", str(source), "--name", "nightly", "-p", "size=4")
    assert added.code == 0, added.err
    failed = workshop.p2p("schedule", "run", "nightly", "--json")
    (tick,) = failed.answer
    assert (failed.code, tick["state"], tick["step"]) == (1, "failed", "check"), failed.err

    opened = workshop.p2p("debug", tick["run_id"], "--json")
    assert (opened.code, opened.answer["step"], opened.answer["run"]) == (0, "check", tick["run_id"]), opened.err
    path = workshop.root / opened.answer["notebook"]
    again = executed(workshop, path)
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    broken = [(c["id"], o["ename"], o["evalue"]) for c in cells for o in c.get("outputs", ()) if "ename" in o]
    assert broken == [("p2p-debug", "AssertionError", "[1.0, 2.0, 3.0, 4.0]")]
    assert "loading" not in again.out + str([c.get("outputs") for c in cells])


def mend(path: Path, old: str, new: str) -> None:
    """Edit the cell with the tag, as a person would."""
    found = json.loads(path.read_text(encoding="utf-8"))
    cell = next(cell for cell in found["cells"] if "p2p-debug" in cell["metadata"].get("tags", ()))
    text = "".join(cell["source"])
    assert text.count(old) == 1, text
    cell["source"] = text.replace(old, new)
    path.write_text(json.dumps(found), encoding="utf-8")
