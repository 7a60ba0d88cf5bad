"""A run of five steps, killed at a seeded operation and resumed, many times; as a command, because it forks.

`python -m tests.killpoints ROOT SEED FIRST COUNT` prints one JSON document. This process never imports MLflow and has
no threads, so that its forks are whole. All trials of one command share a project, but no stored value.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pyarrow.parquet  # noqa: F401  # loaded once here, and not in each fork
from pydantic import BaseModel

from p2p import Pipeline, Task
from p2p.cache import Reuse, going_on_with
from p2p.model import RunStatus
from p2p.params import ParameterSet
from p2p.runners import run_pipeline
from p2p.settings import Settings, load_settings
from p2p.store import DiskStore
from p2p.tracking import RunRecord
from p2p.tracking.records import read_record
from tests.kills import Blow, killing

_HOW = ("before", "half", "after")
_ALARM = 200  # seconds that one run may take on a busy machine


class Params(BaseModel):
    seed: int = 7


def load(seed: int) -> pd.DataFrame:
    np.random.seed(seed)
    return pd.DataFrame({"x": np.arange(50.0), "name": [f"row {i}" for i in range(50)]})


def measure(frame: pd.DataFrame) -> Any:
    return np.random.normal(size=len(frame)) * frame["x"].to_numpy()


def rescale(frame: pd.DataFrame, noise: Any) -> None:
    frame["x"] = frame["x"] / 2 + noise


def scale(frame: pd.DataFrame, noise: Any) -> float:
    rescale(frame, noise)
    return float(frame["x"].sum())


def pair(total: float) -> tuple[list[float], list[float]]:
    rows = [total, float(np.random.random())]
    return rows, rows


def report(frame: pd.DataFrame, left: list[float], right: list[float]) -> dict[str, Any]:
    left.append(float(frame["x"].max()))
    return {"shared": right, "draw": float(np.random.random()), "rows": len(frame)}


FIVE = Pipeline(
    name="killed", version=1, params=Params,
    tasks=[
        Task(load, inputs=["seed"], outputs=["frame"]),
        Task(measure, inputs=["frame"], outputs=["noise"]),
        Task(scale, inputs=["frame", "noise"], outputs=["total"]),
        Task(pair, inputs=["total"], outputs=["left", "right"]),
        Task(report, inputs=["frame", "left", "right"], outputs=["summary"]),
    ],
)  # fmt: skip
STEPS = [task.step for task in FIVE.tasks]


@dataclass(frozen=True)
class Trial:
    """One run that is killed.

    Attributes:
        blow: when its owner dies.
        sidecar_at: its sidecar dies at this operation of the owner; 0 for never.
        sidecar_after: its sidecar dies as many seconds after the owner; None for never.
    """

    number: int
    blow: Blow
    sidecar_at: int = 0
    sidecar_after: float | None = None


def trial_of(seed: int, number: int, operations: int) -> Trial:
    """The trial of this number: the same for the same seed."""
    chosen = random.Random(f"{seed}/{number}")
    blow = Blow(chosen.randint(1, operations), chosen.choice(_HOW))
    which = chosen.randrange(6)
    at, after = chosen.randint(1, blow.nth), chosen.uniform(0, 1.5)
    return Trial(number, blow, at if which == 0 else 0, after if which == 1 else None)


@dataclass
class Seen:
    """What came of a trial.

    Attributes:
        ends: how the killed run ended: `unopened`, or its status.
        again: the steps that ran twice.
        wrong: what must not be.
    """

    number: int
    at: str
    ends: str = ""
    again: list[str] = field(default_factory=list)
    sidecar: bool = False
    wrong: list[str] = field(default_factory=list)


class Place:
    """A project in which trials are made.

    Args:
        settings: the project's.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.calls = settings.root / "calls.txt"
        self.names = settings.root / "names.json"
        self.sidecar = settings.root / "sidecar.pid"

    def reference(self) -> tuple[dict[str, str | None], int]:
        """What an undisturbed run gives, by step and output, and how many operations it does."""
        self.clear()
        if in_fork(lambda: self._run(Blow(), Reuse())) != 0:
            raise RuntimeError(self._trace())
        [record] = self.records(set())
        return outputs_of(record), len(json.loads(self.names.read_text()))

    def clear(self) -> None:
        """Forget the values, so that every trial has to store its own."""
        for path in (self.settings.values, self.settings.cache):
            shutil.rmtree(path, ignore_errors=True)
        for path in (self.calls, self.names, self.sidecar):
            path.unlink(missing_ok=True)

    def records(self, known: set[str]) -> list[RunRecord]:
        """The runs that were not known, the oldest first."""
        new = sorted(path for path in self.settings.runs.glob("*") if path.name not in known)
        return [read_record(path) for path in new]

    def executions(self) -> list[str]:
        return self.calls.read_text().split() if self.calls.exists() else []

    def _run(self, blow: Blow, reuse: Reuse, trial: Trial | None = None) -> None:
        """One run in this process, which may die; the folder counted is p2p's own."""
        values = ParameterSet.of(FIVE.params).parse()
        below = self.settings.mlruns / "p2p"
        at = self._kill_sidecar_at(trial) if trial is not None else (lambda _number: None)
        count_calls(self.calls)
        with killing(blow, below=below, at=at) as deeds:
            run_pipeline(FIVE, values, self.settings, reuse=reuse)
        self.names.write_text(json.dumps(deeds.names))

    def _kill_sidecar_at(self, trial: Trial) -> Callable[[int], None]:
        def at(number: int) -> None:
            if number == trial.sidecar_at:
                for pid in sidecars():
                    os.kill(pid, signal.SIGKILL)
                    self.sidecar.touch()
            if trial.sidecar_after is not None and number == trial.blow.nth:
                self.sidecar.write_text(" ".join(map(str, sidecars())))

        return at

    def killed(self, trial: Trial) -> None:
        """Make a run that dies."""
        in_fork(lambda: self._run(trial.blow, Reuse(), trial))
        if trial.sidecar_after is not None and self.sidecar.exists():
            time.sleep(trial.sidecar_after)
            for pid in self.sidecar.read_text().split():
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)

    def resumed(self, key: str) -> int:
        """Go on with the run of this key; without one, run anew."""
        return in_fork(lambda: self._run(Blow(), going_on_with(self.settings, key) if key else Reuse()))

    def _trace(self) -> str:
        return (self.settings.root / "trace.txt").read_text()


def sidecars() -> list[int]:
    return [child.pid for child in psutil.Process().children()]


def count_calls(path: Path) -> None:
    """From now on, each call of a step's function appends its name to the file; no step can know."""
    codes = {task.function.__code__: task.step for task in FIVE.tasks}
    opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    write = os.write

    def called(frame: Any, event: str, _argument: Any) -> None:
        if event == "call" and frame.f_code in codes:
            write(opened, f"{codes[frame.f_code]}\n".encode())

    sys.setprofile(called)


def in_fork(work: Callable[[], None]) -> int:
    """Do work in a process of its own; gives its exit code, negative for the signal that ended it."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.alarm(_ALARM)
            work()
            code = 0
        except BaseException:
            Path("trace.txt").write_text(traceback.format_exc())
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def outputs_of(record: RunRecord) -> dict[str, str | None]:
    """By step and output, the digest of the value."""
    return {f"{step.name}.{name}": ref.digest for step in record.steps for name, ref in step.outputs.items()}


def tried(place: Place, trial: Trial, right: dict[str, str | None]) -> Seen:
    """Kill a run, resume it, and look whether all is as it must be."""
    place.clear()
    known = {path.name for path in place.settings.runs.glob("*")}
    place.killed(trial)
    first = place.records(known)
    opened = [record for record in first if record.facts]
    seen = Seen(trial.number, f"{trial.blow.how} operation {trial.blow.nth}", sidecar=place.sidecar.exists())
    done = [step.name for record in opened for step in record.steps if step.state.value == "done"]
    if not (opened and opened[0].status is RunStatus.FINISHED):
        code = place.resumed(opened[0].key if opened else "")
        if code != 0:
            seen.wrong.append(f"the resumed run ended with {code}: {place._trace()[-1500:]}")
    records = [read_record(record.directory) for record in place.records(known) if record.facts]
    seen.ends = records[0].status.value if opened else "unopened"
    seen.again = [step for step in STEPS if place.executions().count(step) > 1]
    seen.wrong += list(problems(place, records, right, done))
    return seen


def problems(place: Place, records: list[RunRecord], right: dict[str, str | None], done: list[str]) -> Iterator[str]:
    """What must not be: another result, work done twice, a value that is recorded and is not there whole."""
    calls = place.executions()
    if not records or records[-1].status is not RunStatus.FINISHED:
        yield f"the last run is {records[-1].status if records else 'not there'}"
        return
    if outputs_of(records[-1]) != right:
        yield f"other values: {outputs_of(records[-1])}"
    if len(calls) > len(STEPS) + 1 or {*calls} != {*STEPS}:
        yield f"ran {calls}"
    yield from (f"{step} had ended, and ran again" for step in done if calls.count(step) != 1)
    store = DiskStore(place.settings.values)
    for record in records:
        for step in record.steps:
            for name, ref in step.outputs.items():
                if store.put(store.get(ref)).digest != ref.digest:
                    yield f"{step.name}.{name} of {record.key} is corrupt"


def main() -> None:
    """Make the trials that the command line asks for."""
    seed, first, count = map(int, sys.argv[2:])
    os.chdir(sys.argv[1])
    place = Place(load_settings())
    right, operations = place.reference()
    found = []
    for number in range(first, first + count):
        try:
            found.append(vars(tried(place, trial_of(seed, number, operations), right)))
        except Exception:
            found.append(vars(Seen(number, "", wrong=[traceback.format_exc()])))
    json.dump({"operations": operations, "trials": found}, sys.stdout)


if __name__ == "__main__":
    main()
