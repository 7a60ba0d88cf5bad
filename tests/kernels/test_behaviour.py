"""A forked kernel does what a started one does, where runs end badly too."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from p2p.model import RunStatus
from p2p.tracking import read_events
from p2p.tracking.owner import Life, Owner, life_of
from tests.building import write_notebook
from tests.kernels.place import MODES, Place, texts

pytestmark = pytest.mark.parametrize("mode", MODES)
CHILD = "import subprocess\nchild = subprocess.Popen(['sleep', '600'], start_new_session=True)\nprint(child.pid)"


def runs(pid: int) -> bool:
    """Whether it runs; what nobody has asked for its end is still there, and does not."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def ends(pid: int) -> bool:
    """Whether it has been killed: a process is still there for an instant after that."""
    deadline = time.monotonic() + 2
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not runs(pid)


def kernel(place: Place, outcome: Any) -> Owner:
    started = place.started(outcome)
    assert started is not None
    return Owner.from_dict(started["process"])


@pytest.mark.parametrize(
    ("ending", "error"),
    [
        ("import os\nos._exit(0)", "the kernel died"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "the kernel died"),
        ("import sys\nsys.exit(0)", "ended early"),
        ("quit()", r"quit\(\)|the kernel died"),  # which of them, is a race that the kernel runs with its client
        ("import threading\nthreading._shutdown()\n1 / 0", "ZeroDivisionError"),
        ("import time\ntime.sleep(600)", "longer than 2 s"),
        ("input()", "StdinNotImplementedError"),
        ("import signal\nsignal.raise_signal(signal.SIGINT)", "KeyboardInterrupt"),
    ],
)  # fmt: skip
def test_an_ending_that_is_no_success_is_told_and_what_was_shown_is_kept(
    place: Place, mode: str, ending: str, error: str
) -> None:
    outcome = place.run(mode, "print('shown before')", ending, "print('never')", cell_timeout=2)
    assert outcome.status is RunStatus.FAILED
    assert re.search(error, outcome.error)
    assert outcome.failed_cell == 2
    shown = texts(outcome)
    assert (shown[0], shown[2]) == ("shown before\n", "")
    assert life_of(kernel(place, outcome)) is Life.DEAD


def test_after_a_bad_ending_the_next_run_is_none_the_worse(place: Place, mode: str) -> None:
    place.run(mode, "import os\nos._exit(7)")
    assert place.run(mode, "print(1)").status is RunStatus.FINISHED


def test_an_interrupt_ends_the_kernel_and_what_it_started_and_keeps_what_was_shown(place: Place, mode: str) -> None:
    seen = threading.Event()
    path = write_notebook(
        place.settings.root / "notebooks" / f"stopped_{mode}.ipynb", CHILD, "import time\nprint('x')\ntime.sleep(600)"
    )
    before = {journal.parent for journal in place.settings.runs.glob("*/journal.jsonl")}

    def in_second_cell() -> list[Path]:
        new = {journal.parent for journal in place.settings.runs.glob("*/journal.jsonl")} - before
        return [directory for directory in new if any(event.get("cell") == 2 for event in read_events(directory))]

    def interrupt() -> None:
        while not seen.wait(0.05) and not in_second_cell():
            pass
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        place.run(mode, path=path)
    seen.set()
    (directory,) = in_second_cell()
    events = [json.loads(line) for line in (directory / "journal.jsonl").read_text().splitlines() if line]
    assert events[-1]["status"] == "KILLED"
    process = next(event["process"] for event in events if event["kind"] == "kernel_started")
    assert life_of(Owner.from_dict(process)) is Life.DEAD
    shown = json.loads((directory / "notebook.ipynb").read_text())["cells"][0]["outputs"][0]["text"]
    assert ends(int("".join(shown)))


def test_what_the_end_of_an_interpreter_does_is_done(place: Place, mode: str) -> None:
    outcome = place.run(
        mode,
        """
        import atexit, threading, time
        from pathlib import Path
        class Last:
            def __del__(self, write=Path.write_text, at=Path("finalized")):
                write(at, "yes")
        last = Last()
        left_open = open("left_open", "w")
        left_open.write("whole")
        atexit.held = open("held", "w")
        atexit.held.write("whole")
        atexit.register(lambda: Path("at_exit").write_text("yes"))
        threading.Thread(target=lambda: (time.sleep(0.3), Path("thread").write_text("yes"))).start()
        """,
    )
    assert outcome.status is RunStatus.FINISHED
    folder = place.settings.root / "notebooks"
    found = {name: (folder / name).read_text() for name in ("finalized", "left_open", "held", "at_exit", "thread")}
    for name in found:
        (folder / name).unlink()
    assert found == {"finalized": "yes", "left_open": "whole", "held": "whole", "at_exit": "yes", "thread": "yes"}


def test_much_output_comes_whole(place: Place, mode: str) -> None:
    outcome = place.run(mode, "for i in range(20000): print(i)\nimport os\nos.system('echo from a child')")
    assert outcome.status is RunStatus.FINISHED
    lines = texts(outcome)[0].splitlines()
    assert [line for line in lines if line.isdigit()] == [str(i) for i in range(20000)]
    assert "from a child" in lines


def test_parameters_and_the_working_directory_arrive(place: Place, mode: str, tmp_path: Path) -> None:
    path = write_notebook(
        place.settings.root / "notebooks" / "given.ipynb",
        "from pathlib import Path\nprint(n, Path.cwd())",
        params="n = 1",
    )
    outcome = place.run(mode, path=path, directory=tmp_path)
    assert texts(outcome)[1] == f"1 {tmp_path}\n"


SLOW_CONTROL = """
def slow_down():  # IPython empties the notebook's names before
    import threading, time
    from pathlib import Path
    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance()
    sender, send, stop = app.iopub_thread, app.iopub_thread.schedule, app.iopub_thread.stop
    is_control = lambda: threading.current_thread() is app.control_thread
    sender.schedule = lambda what: (is_control() and what.__name__ == "set" and time.sleep(0.5), send(what))
    sender.stop = lambda: (Path({told!r}).write_text(str(app.control_thread.is_alive())), stop())

slow_down()
"""


def test_what_hears_of_the_shutdown_has_ended_before_what_sends_is_stopped(
    place: Place, mode: str, tmp_path: Path
) -> None:
    """In ipykernel alone they may wait for each other, until the kernel is killed 2.5 s later."""
    told = tmp_path / "control_is_alive"
    assert place.run(mode, SLOW_CONTROL.format(told=str(told))).status is RunStatus.FINISHED
    assert told.read_text() == "False"
