"""Commands with a time limit, each in an environment of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
TOO_LONG = 124
_ERROR = re.compile(r"[\w.]*(Error|Exception|Interrupt|NoSuchKernel)(:|$)")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Done:
    """How a command ended.

    Attributes:
        code: its exit code; `TOO_LONG` when it was stopped.
    """

    code: int
    out: str
    err: str
    seconds: float

    @property
    def too_long(self) -> bool:
        return self.code == TOO_LONG

    @property
    def last_line(self) -> str:
        """The last line that names an error, on stderr before stdout; else the last line."""
        lines = [line.strip() for text in (self.out, self.err) for line in _COLOURS.sub("", text).splitlines()]
        errors = [line for line in lines if _ERROR.match(line)]
        said = errors or [line for line in lines if line]
        return said[-1][:500] if said else f"exit {self.code}, without a word"


def run(arguments: Sequence[str | Path], cwd: Path, timeout: float, extra: Mapping[str, str] | None = None) -> Done:
    """Run a command, and end all that it started once it is over or has taken too long."""
    started = time.perf_counter()
    with subprocess.Popen(
        [str(part) for part in arguments], cwd=cwd, env={**environment(), **(extra or {})}, text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            out, err = process.communicate(timeout=timeout)
            code = process.returncode
        except subprocess.TimeoutExpired:
            code, out, err = TOO_LONG, "", f"it takes longer than {timeout:g} s"
        _end(process)
    return Done(code, out, err, round(time.perf_counter() - started, 1))


def environment() -> dict[str, str]:
    """The environment of a command: this project can be imported in it, and nothing writes colours.

    Whatever of p2p and MLflow is set here is not: what is measured has a project and a store of its own.
    """
    path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH", "")]))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("P2P_", "MLFLOW_"))}
    return {**kept, "PYTHONPATH": path, "NO_COLOR": "1"}


def _end(process: subprocess.Popen[str]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()
