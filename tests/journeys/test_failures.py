"""A run ends as it truly went."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest

from p2p.model import RunStatus
from tests.journeys.workshop import Workshop
from tests.mlflowside import ended

SLOW = """
    %%step wait
    import os, time
    from pathlib import Path
    Path(f"{name}.pid").write_text(str(os.getpid()))
    time.sleep(300)
"""


def states(path: Path) -> list[str]:
    return [cell.metadata.papermill["status"] for cell in executed(path).cells]


def executed(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # it has no types


def test_a_step_that_raises_fails_the_run_and_is_named_in_the_last_lines(workshop: Workshop) -> None:
    path = workshop.write(
        "third",
        "%%step load\nrows = [1, 2]", "%%step clean\ntidy = rows[:1]", "'in between'",
        "%%step fit\nif len(tidy) < 2:\n    raise ValueError('[bold]too few[/] rows')\nline = 1",
        "%%step show\nshown = line",
    )  # fmt: skip

    done = workshop.p2p("run", str(path))

    assert done.code == 1
    record = workshop.runs_of(path, "notebook")[0]
    assert done.err.strip().splitlines()[-2:] == [
        "step 'fit', cell 4 failed: ValueError: [bold]too few[/] rows",
        f"open it: p2p debug {record.run_id} --step fit",
    ]
    run = workshop.mlflow_run(record.run_id)
    assert run.info.status == RunStatus.FAILED
    tags = {name: run.data.tags.get(f"p2p.{name}") for name in ("failed_step", "failed_cell", "error", "steps")}
    assert tags == {
        "failed_step": "fit", "failed_cell": "4", "error": "ValueError: [bold]too few[/] rows",
        "steps": "load, clean, fit",
    }  # fmt: skip
    local = Path(workshop.client.download_artifacts(record.run_id, "notebook/third.ipynb"))
    assert states(local) == ["completed", "completed", "completed", "failed", "pending"]
    errors = [o for o in executed(local).cells[3].outputs if o.output_type == "error"]
    assert [o.ename for o in errors] == ["ValueError"]
    assert workshop.spans(record.run_id) == [("load", ""), ("clean", ""), ("fit", "")]


@pytest.mark.parametrize(
    ("end", "error", "state"),
    [
        pytest.param("os.kill(os.getpid(), 9)", "the kernel died", "failed", id="killed"),
        pytest.param("sys.exit(0)", "", "", id="exit"),
    ],
)
def test_a_notebook_that_did_not_get_to_its_end_is_no_success(
    workshop: Workshop, end: str, error: str, state: str
) -> None:
    path = workshop.write(
        "short" + end[3:7].strip("."), "%%step load\nrows = 1", f"%%step end\nimport os, sys\n{end}", "rows", "rows"
    )

    done = workshop.p2p("run", str(path), "--json")

    assert done.code == 1
    assert done.answer["status"] == "FAILED"
    assert (done.answer["failed_step"], done.answer["failed_cell"]) == ("end", 2)
    assert error in done.answer["error"]
    assert done.answer["debug"] == f"p2p debug {done.answer['run_id']} --step end"
    run = workshop.mlflow_run(done.answer["run_id"])
    assert run.info.status == RunStatus.FAILED
    found = states(Path(done.answer["notebook"]))
    assert found[0] == "completed"
    assert found[2:] == ["pending", "pending"]
    if state:
        assert found[1] == state


def test_an_interrupted_run_is_killed_and_leaves_no_kernel(workshop: Workshop) -> None:
    signals = {"interrupt": signal.SIGINT, "terminate": signal.SIGTERM}
    paths = {name: workshop.write(name, f"name = {name!r}", SLOW, "'never'") for name in signals}
    started = {name: workshop.start("run", str(path), "--json") for name, path in paths.items()}
    try:
        pids = {name: wait_for_pid(workshop.root / "notebooks" / f"{name}.pid") for name in signals}
        for name, number in signals.items():
            started[name].send_signal(number)
        said = {name: process.communicate(timeout=120) for name, process in started.items()}
    finally:
        for process in started.values():
            process.kill()
    for name, path in paths.items():
        assert started[name].returncode == 130, said[name]
        assert gone(pids[name])
        record = workshop.runs_of(path, "notebook")[0]
        run = ended(workshop.settings, record.run_id)  # the command ends in 2 s; MLflow may be told after that
        assert run.info.status == RunStatus.KILLED
        assert (run.data.tags["p2p.failed_step"], run.data.tags["p2p.failed_cell"]) == ("wait", "2")
        assert states(record.directory / "notebook.ipynb")[2] == "pending"


def wait_for_pid(path: Path) -> int:
    limit = time.monotonic() + 180
    while not (path.is_file() and path.read_text()):
        assert time.monotonic() < limit, f"{path.name} was never written"
        time.sleep(0.1)
    return int(path.read_text())


def gone(pid: int) -> bool:
    """Whether a process ends within a few seconds."""
    limit = time.monotonic() + 10
    while time.monotonic() < limit:
        listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
        if not listed.stdout.strip() or listed.stdout.startswith("Z"):
            return True
        time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    return False
