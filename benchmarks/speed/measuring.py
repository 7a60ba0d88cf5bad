"""Measuring: each measurement a process of its own in an empty directory, the sides in turn, medians of several rounds.

Knows nothing of what is measured.
"""

from __future__ import annotations

import contextlib
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.commands import Done, run
from benchmarks.speed.rows import Figure
from benchmarks.speed.work.marks import MARK

_LONGEST = 1800.0  # seconds that one measurement may take
CPU = "_cpu"  # ends the name of a figure by processor time
_LINGERING = 30.0  # seconds in which what a measurement has left running ends by itself


def _nothing(_folder: Path) -> None:
    pass


@dataclass(frozen=True)
class Side:
    """One way to do some work.

    Attributes:
        command: what is run, and timed from its start to its end.
        prepare: puts into the empty directory what the command finds there; not timed.
        environment: further variables.
    """

    command: Sequence[str | Path]
    prepare: Callable[[Path], None] = _nothing
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Missing:
    """A side that cannot be measured, and why."""

    why: str


@dataclass(frozen=True)
class Measured:
    """What a side's measurements gave: a figure's values by its name, of each round; or why there are none."""

    figures: Mapping[str, Sequence[float]] = field(default_factory=dict)
    why: str = ""

    def figure(self, name: str = "wall") -> Figure:
        """The median of a figure, and of the same by processor time where that was told."""
        if self.why or not self.figures.get(name):
            return Figure(why=self.why or f"it told no '{name}'")
        cpu = self.figures.get(f"{name}{CPU}")
        return Figure(statistics.median(self.figures[name]), statistics.median(cpu) if cpu else None)


def worker(module: str, *arguments: object, python: str | Path = sys.executable) -> list[str | Path]:
    """The command of a module in `benchmarks.speed.work`."""
    return [python, "-m", f"benchmarks.speed.work.{module}", *map(str, arguments)]


def in_turn(sides: Mapping[str, Side | Missing], rounds: int) -> dict[str, Measured]:
    """Measure each side in each round; one that fails is not tried again, and the others go on."""
    found: dict[str, dict[str, list[float]]] = {name: {} for name in sides}
    missing = {name: side.why for name, side in sides.items() if isinstance(side, Missing)}
    for _ in range(rounds):
        for name, side in sides.items():
            if isinstance(side, Missing) or name in missing:
                continue
            try:
                for figure, value in once(side).items():
                    found[name].setdefault(figure, []).append(value)
            except Failed as failed:
                missing[name] = str(failed)
    return {name: Measured({} if name in missing else found[name], missing.get(name, "")) for name in sides}


class Failed(Exception):
    """A measurement that did not end well; its text says how."""


def once(side: Side) -> dict[str, float]:
    """One measurement: wall time, processor time, and what the process told of itself.

    Raises:
        Failed: the process did not exit with 0.
    """
    with tempfile.TemporaryDirectory(prefix="p2p-speed-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary).resolve()
        side.prepare(folder)
        before, began = _cpu_of_children(), time.perf_counter()
        done = run(side.command, folder, _LONGEST, {"P2P_ROOT": str(folder), **side.environment})
        wall, cpu = time.perf_counter() - began, _cpu_of_children() - before
        wait_for_rest(folder)
    if done.code != 0:
        raise Failed(f"fails: {done.last_line}")
    return {"wall": wall, f"wall{CPU}": cpu, **told(done)}


def told(done: Done) -> dict[str, float]:
    """The figures in the last line that has some."""
    lines = [line for line in done.out.splitlines() if line.startswith(MARK)]
    figures = json.loads(lines[-1].removeprefix(MARK)) if lines else {}
    return {str(name): float(value) for name, value in figures.items()}


def wait_for_rest(folder: Path, *, but: int = 0) -> None:
    """What a measurement has left at work in its directory, but for one process, must not slow the next one down."""
    import psutil

    limit = time.monotonic() + _LINGERING
    while time.monotonic() < limit:
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.pid != but and Path(process.cwd()).is_relative_to(folder):
                    break
        else:
            return
        time.sleep(0.05)


def _cpu_of_children() -> float:
    """Processor time of the processes that ended and were waited for, and of those that these waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
