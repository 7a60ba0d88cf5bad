"""`%%step` in real kernels: what a front end is sent, and how an interactive run ends in MLflow."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from p2p.settings import Settings
from tests.magics.kernels import Kernel
from tests.mlflowside import ended, run_of

LOAD = "%load_ext p2p"


@pytest.fixture
def start(settings: Settings) -> Iterator[Callable[[], Kernel]]:
    kernels: list[Kernel] = []

    def begin() -> Kernel:
        kernels.append(Kernel(settings.root))
        kernels[-1].run(LOAD)
        return kernels[-1]

    yield begin
    for kernel in kernels:
        kernel.close()


CELLS = {
    "result": "x = 3\nx + 1",
    "display and print": "print('a')\ndisplay({'k': 1})\nimport sys\nprint('b', file=sys.stderr)\nx = 1\n'end'",
    "nothing shown": "x = 1;",
    "semicolon": "x = 1\nx;",
    "error": "x = 1\ndef f(n):\n    return n / 0\n\ny = f(x)",
    "error in a called library": "import json\nx = json.loads('{')",
    "syntax error": "x = = 1",
    "chained error": "try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('b') from e",
    "exit": "x = 1\nraise SystemExit(3)",
    "interrupt": "x = 1\nraise KeyboardInterrupt",
    "usage error": "%no_such_magic",
    "await": "import asyncio\nawait asyncio.sleep(0)\nx = 2\nx",
    "error after await": "import asyncio\nawait asyncio.sleep(0)\nx = 1 / 0",
    "line magic": "%precision 3\nx = 3.14159\nx",
    "shell": "!echo hi",
    "warning": "import warnings\nx = 1\nwarnings.warn('careful')\nx",
    "history": "x = In[-1] != ''\nx",
    "cell magic": "%%capture out\nprint('inside')",
    "python below a comment": "# a comment\nx = 1\nx",
    "stdin-free function": "def f():\n    return 'f'\nf()",
}


def comparable(sent: list[tuple[str, Any]]) -> list[str]:
    """Messages without what differs from kernel to kernel: addresses and prompt numbers."""
    text = re.sub(r"(\\x1b|\x1b)\[[\d;]*m", "", repr(sent))
    text = re.sub(r"ipykernel_\d+[/\\]+\d+\.py", "CELL", text)
    text = re.sub(r"\(\d+\.py", "(CELL", text)
    text = re.sub(r"0x[0-9a-f]+", "0x", text)
    text = re.sub(r"In ?\[\d+\]", "In[]", text)
    text = re.sub(r"'execution_count': \d+", "'execution_count': 0", text)
    return text.split("\\n")


def test_a_marked_cell_shows_exactly_what_the_unmarked_one_shows(start: Callable[[], Kernel]) -> None:
    plain, marked = start(), start()
    different = {}
    for name, cell in CELLS.items():
        # A cell magic counts its lines from its own first one; else the lines are those of the whole cell.
        expected = comparable(plain.run(cell if cell.startswith("%%") else f"None\n{cell}"))
        shown = comparable(marked.run(f"%%step load\n{cell}"))
        # The line of the mark is empty in a traceback's context.
        expected, shown = ([x for x in lines if not re.fullmatch(r" +1 (None)?", x)] for lines in (expected, shown))
        if shown != expected:
            different[name] = (expected, shown)
    for name, (expected, shown) in different.items():
        print(f"--- {name}", *expected, "- - -", *shown, sep="\n")  # noqa: T201 - told when the test fails
    assert list(different) == []


def test_an_interactive_run_opens_at_its_first_step_and_is_finished_when_the_kernel_exits(
    start: Callable[[], Kernel], settings: Settings
) -> None:
    kernel = start()
    kernel.run("x = 1")
    assert "no run is open" in kernel.value("%p2p id")
    kernel.run("%%step load\nrows = [x]")
    run_id = kernel.value("%p2p id").strip("'")
    assert run_of(settings, run_id).info.status == "RUNNING"
    kernel.run("import mlflow\nwith mlflow.start_run():\n    mlflow.log_param('p', 1)\nmlflow.log_metric('mine', 7)")
    assert run_of(settings, run_id).info.status == "RUNNING"
    kernel.run("%p2p new")
    assert run_of(settings, run_id).info.status == "FINISHED"
    kernel.run("%%step load\nrows = [2]")
    second = kernel.value("%p2p id").strip("'")
    assert second != run_id
    kernel.stop()
    run = ended(settings, second)
    assert run.info.status == "FINISHED"
    assert run.data.metrics["load/attempts"] == 1
    first = run_of(settings, run_id)
    assert (first.info.status, first.data.metrics["mine"], first.data.params) == ("FINISHED", 7, {"p": "1"})


def test_a_killed_kernels_run_is_killed(start: Callable[[], Kernel], settings: Settings) -> None:
    kernel = start()
    kernel.run("%%step load\nrows = [1]")
    run_id = kernel.value("%p2p id").strip("'")
    os.kill(int(kernel.value("import os; os.getpid()")), signal.SIGKILL)
    run = ended(settings, run_id)
    assert run.info.status == "KILLED"
    assert run.data.tags["p2p.error"].startswith("process ")
    assert run.data.tags["p2p.error"].endswith(" died")


@pytest.mark.parametrize(
    ("mended", "status"), [(False, "FAILED"), pytest.param(True, "FINISHED", marks=pytest.mark.soak)]
)
def test_an_interactive_run_is_failed_when_the_last_state_of_a_step_is(
    start: Callable[[], Kernel], settings: Settings, mended: bool, status: str
) -> None:
    kernel = start()
    kernel.run("%%step load\nrows = 1 / 0")
    kernel.run("%%step other\nn = 1")
    if mended:
        kernel.run("%%step load\nrows = 1")
    run_id = kernel.value("%p2p id").strip("'")
    kernel.stop()
    run = ended(settings, run_id)
    assert run.info.status == status
    assert run.data.tags.get("p2p.failed_step") == (None if mended else "load")


def test_an_interrupted_step_fails_and_the_kernel_goes_on(start: Callable[[], Kernel], settings: Settings) -> None:
    kernel = start()
    asked = kernel.client.execute(
        "%%step load --retries 3\nprint('in it', flush=True)\nwhile True: pass", stop_on_error=False
    )
    while True:
        message = kernel.client.get_iopub_msg(timeout=120)
        if message["parent_header"].get("msg_id") == asked and message["msg_type"] == "stream":
            break
    kernel.manager.interrupt_kernel()
    reply = kernel.reply(asked)
    assert (reply["status"], reply["ename"]) == ("error", "KeyboardInterrupt")
    assert kernel.value("1 + 1") == "2"


def test_a_store_that_cannot_be_used_is_told_once_and_delays_no_work(
    start: Callable[[], Kernel], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wrong = tmp_path / "a-file"
    wrong.write_text("no directory")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{wrong}/mlflow.db")
    kernel = start()
    sent = kernel.run("%%step load\nrows = [1]\nlen(rows)")
    told = [content["text"] for kind, content in sent if kind == "stream"]
    assert [text.count("MLflow's store takes nothing") for text in told] == [1]
    assert kernel.value("%%step load\nrows = [1, 2]\nlen(rows)") == "2"
    assert [kind for kind, _ in kernel.run("%%step load\nrows = [1, 2]\nlen(rows)")] == ["execute_result"]
