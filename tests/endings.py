"""Every way in which a run may end that is no success, in every place where a run may live."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import indent
from typing import Any

import psutil
from jupyter_client.manager import KernelManager, start_new_kernel

from p2p.settings import Settings
from p2p.tracking import RunRecord
from p2p.tracking.records import past_runs
from tests.building import write_notebook

WAYS = ("interactive", "papermill", "module", "dask")
_REPOSITORY = Path(__file__).resolve().parents[1]
_SECONDS = 240  # that a run may take on a busy machine
_CLOSED = 20  # seconds after which somebody closes a session whose cell does not end
_SLOW = "time.sleep(600)"
_SWALLOWS = """
while True:
    try:
        while True:
            time.sleep(0.01)
    except BaseException:
        pass
"""
_NO_MEMORY = """
import resource
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 200_000_000, resource.RLIM_INFINITY))
whole = bytearray(2_000_000_000)
"""
_BEGIN = """
import ctypes, os, subprocess, sys, time
from pathlib import Path
# Not with our own outputs: whoever reads those would wait for it.
child = subprocess.Popen(["sleep", "600"], start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
Path({pids!r}).with_suffix(".tmp").write_text(f"{{os.getpid()}} {{child.pid}}")
Path({pids!r}).with_suffix(".tmp").rename({pids!r})
del child
"""
_PIPELINE = """
from p2p import Pipeline, Policy, Task
from pydantic import BaseModel


class Params(BaseModel):
    pass


def before():
    return [1, 2]


def end(rows):
{code}
    return rows


def after(last):
    return len(last)


pipeline = Pipeline(
    name={name!r}, version=1, params=Params,
    tasks=[
        Task(before, outputs=["rows"]),
        Task(end, inputs=["rows"], outputs=["last"], policy=Policy(timeout={timeout})),
        Task(after, inputs=["last"], outputs=["count"]),
    ],
)
"""


@dataclass(frozen=True)
class Ending:
    """One way to end.

    Attributes:
        code: what the step does.
        number: the signal that is sent to the one who has started the run, once the step is at work.
        timeout: seconds that the step may take.
        right: by way, the status that is true.
    """

    name: str
    code: str
    right: dict[str, str]
    number: int = 0
    timeout: float | None = None


def _right(interactive: str, papermill: str, module: str, dask: str) -> dict[str, str]:
    return {"interactive": interactive, "papermill": papermill, "module": module, "dask": dask}


# A session is somebody's: an interrupt ends its cell and not the session, and a cell that does not stop is left to its
# owner, who closes the session. A kernel or worker that dies under `p2p run` is a failure; p2p itself being stopped is
# not.
ENDINGS = [
    Ending("sigterm", _SLOW, _right("KILLED", "KILLED", "KILLED", "KILLED"), signal.SIGTERM),
    Ending("sigint", _SLOW, _right("FAILED", "KILLED", "KILLED", "KILLED"), signal.SIGINT),
    Ending("sigkill", _SLOW, _right("KILLED", "KILLED", "KILLED", "KILLED"), signal.SIGKILL),
    Ending("os_exit", "os._exit(0)", _right("KILLED", "FAILED", "KILLED", "FAILED")),
    Ending("sys_exit", "sys.exit(0)", _right("FAILED", "FAILED", "FAILED", "FAILED")),
    Ending("kernel_death", "ctypes.string_at(0)", _right("KILLED", "FAILED", "KILLED", "FAILED")),
    Ending("memory_limit", _NO_MEMORY, _right("FAILED", "FAILED", "FAILED", "FAILED")),
    Ending("out_of_memory", "os.kill(os.getpid(), 9)", _right("KILLED", "FAILED", "KILLED", "FAILED")),
    Ending("timeout_swallowed", _SWALLOWS, _right("KILLED", "FAILED", "FAILED", "FAILED"), timeout=1),
    Ending("timeout_in_c", "sum(range(10**11))", _right("KILLED", "FAILED", "FAILED", "FAILED"), timeout=1),
]


@dataclass
class Ended:
    """What came of one run.

    Attributes:
        key: the run.
        seconds: from the signal to the end of the process that it was sent to.
        wrong: what must not be.
    """

    name: str
    way: str
    key: str = ""
    status: str = ""
    error: str = ""
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


class Trial:
    """One run that ends in one way, in one place.

    Args:
        settings: the project's.
        number: makes its name another than that of its like.
    """

    def __init__(self, settings: Settings, ending: Ending, way: str, number: int = 0) -> None:
        self.settings = settings
        self.ending = ending
        self.way = way
        self.name = f"{ending.name}_{way}_{number}"
        self.pids = settings.root / f"{self.name}.pids"
        self.ended = Ended(ending.name, way)

    def run(self) -> Ended:
        """Let it happen, and look whether all is as it must be."""
        ways = {"interactive": self._by_hand, "papermill": self._notebook, "module": self._module, "dask": self._module}
        ways[self.way]()
        record = self._record()
        if record is None:
            self.ended.wrong.append("there is no such run")
            return self.ended
        self.ended.key, self.ended.status = record.key, record.status.value
        self.ended.error = str(record.end.get("error", ""))
        self.ended.wrong += self._problems(record)
        return self.ended

    def _problems(self, record: RunRecord) -> Iterator[str]:
        if record.status.value != self.ending.right[self.way]:
            yield f"is {record.status} and not {self.ending.right[self.way]} ({self.ended.error})"
        if record.end.get("failed_step") != "end":
            yield f"its failed step is {record.end.get('failed_step')}"
        stopped = self.ending.number in (signal.SIGTERM, signal.SIGINT)
        if stopped and self.way != "interactive" and self.ended.seconds > 2:
            yield f"took {self.ended.seconds:.1f} s to stop"
        if self.ending.timeout and self.way != "interactive" and "StepTimeout" not in self.ended.error:
            yield f"does not say that its time was over: {self.ended.error}"
        process, child = map(int, self.pids.read_text().split())
        if not gone(process):
            yield "its process is left"
        if self._takes_children() and not gone(child):
            yield "a child of its step is left"
        end(child)

    def _takes_children(self) -> bool:
        """A run that p2p ends takes with it what its step has started; a session's processes are its owner's."""
        if self.way == "papermill":
            return self.ending.number != 0 or self.ending.timeout is not None
        if self.way == "dask" and self.ending.timeout is not None:
            return True
        return self.way in ("module", "dask") and self.ending.number in (signal.SIGTERM, signal.SIGINT)

    def _record(self) -> RunRecord | None:
        """The run, once it has ended."""
        limit = time.monotonic() + 30
        while True:
            found = next(past_runs(self.settings.runs, name=self.name), None)
            if time.monotonic() > limit or (found is not None and found.status != "RUNNING"):
                return found
            time.sleep(0.2)

    def _notebook(self) -> None:
        path = self._write_notebook()
        self._command("run", str(path), "--json")

    def _write_notebook(self) -> Path:
        limit = f" --timeout {self.ending.timeout}" if self.ending.timeout else ""
        return write_notebook(
            self.settings.root / "notebooks" / f"{self.name}.ipynb", "%%step before\nrows = [1, 2]",
            f"%%step end{limit}\nlast = rows\n{self._code()}", "%%step after\ncount = len(last)",
        )  # fmt: skip

    def _code(self) -> str:
        return _BEGIN.format(pids=str(self.pids)) + self.ending.code

    def _module(self) -> None:
        home = self.settings.root / "pipelines" / self.name
        (home / "v1").mkdir(parents=True)
        (home.parent / "__init__.py").touch()  # else the repository's own `pipelines` would be found
        text = _PIPELINE.format(code=indent(self._code(), "    "), name=self.name, timeout=self.ending.timeout)
        (home / "v1" / "pipeline.py").write_text(text)
        (home / "v1" / "manifest.json").touch()  # as one that cannot be read: the pipeline was written by hand
        self._command("run", f"{self.name}@1", "--json", *(["--engine", "dask"] if self.way == "dask" else []))

    def _command(self, *arguments: str) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "p2p", *arguments], cwd=self.settings.root, env=self._environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            self._until(lambda: self.pids.exists() or process.poll() is not None)
            self._signal(process.pid)
            began = time.monotonic()
            out, err = process.communicate(timeout=_SECONDS)
            self.ended.seconds = time.monotonic() - began
        finally:
            process.kill()
        self.ended.wrong += self._answered(process.returncode, out, err)

    def _answered(self, code: int, out: str, err: str) -> Iterator[str]:
        """What the command said of the run that is not so."""
        stopped = {signal.SIGTERM: 130, signal.SIGINT: 130}.get(signal.Signals(self.ending.number or 9))
        if code == 0 or (stopped and code != stopped):
            yield f"ended with {code}: {err[-300:]}"
        with suppress(ValueError):
            if json.loads(out).get("status") == "FINISHED":
                yield "answered FINISHED"

    def _by_hand(self) -> None:
        path = self._write_notebook()
        environment = {**self._environment(), "JPY_SESSION_NAME": str(path)}
        manager, client = start_new_kernel(kernel_name="python3", env=environment, cwd=str(path.parent))
        try:
            client.execute("%load_ext p2p")
            for cell in json.loads(path.read_text())["cells"]:
                client.execute(cell["source"], stop_on_error=True)
            self._until(lambda: self.pids.exists() or not manager.is_alive())
            began = time.monotonic()
            if manager.is_alive():
                self._signal(int(self.pids.read_text().split()[0]))
            self._until(lambda: self._is_through() or not manager.is_alive() or time.monotonic() - began > _CLOSED)
            self.ended.seconds = time.monotonic() - began
            self._spared(manager)
        finally:
            client.stop_channels()
            manager.shutdown_kernel()

    def _is_through(self) -> bool:
        """Whether the step has ended."""
        found = next(past_runs(self.settings.runs, name=self.name), None)
        return found is not None and found.step("end") is not None

    def _spared(self, manager: KernelManager) -> None:
        spares = self.ending.timeout is not None or self.ending.right[self.way] == "FAILED"
        if spares and not manager.is_alive():
            self.ended.wrong.append("the session was killed")

    def _signal(self, pid: int) -> None:
        if self.ending.number:
            time.sleep(0.2)  # the step has begun to sleep
            with suppress(ProcessLookupError):
                os.kill(pid, self.ending.number)

    def _until(self, condition: Any) -> None:
        limit = time.monotonic() + _SECONDS
        while not condition():
            if time.monotonic() > limit:
                raise TimeoutError(self.name)
            time.sleep(0.05)

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "P2P_ROOT": str(self.settings.root), "MLFLOW_TRACKING_URI": self.settings.tracking_uri,
                "PYTHONPATH": str(_REPOSITORY), "NO_COLOR": "1"}  # fmt: skip


def gone(pid: int) -> bool:
    """Whether a process ends within a moment."""
    limit = time.monotonic() + 5
    while time.monotonic() < limit:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def end(pid: int) -> None:
    """Leave nothing behind of a trial."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
