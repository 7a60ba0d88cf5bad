"""A project in which anything may happen, and what must hold all the same.

Runs are driven as `run_pipeline` drives them (lease, journal, memory, store, sender), but step by step, so that a
machine can do something between any two. An owner is a real process that can be really killed; the steps run here. The
MLflow store is a real one; that it is lost is played where its client is made.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from p2p.cache import Earlier, Entries, RunMemory, code_of_function
from p2p.execution import Services, Work, run_step
from p2p.model import RunStatus
from p2p.policy import Policy
from p2p.settings import Settings
from p2p.steps.decorator import form_of, name_outputs
from p2p.store import DiskStore
from p2p.tracking import Journal, lease, mlstore, new_key, read_events, reaper
from p2p.tracking.journal import FORMAT, NAME
from p2p.tracking.owner import owner_of
from p2p.tracking.records import read_record
from p2p.upkeep import Keep, prune
from tests.machine import steps


@dataclass
class Run:
    """One run as the machine knows it.

    Attributes:
        place: number of the next step.
        values: the names as the run has them.
        resumed: the run that it goes on with.
    """

    key: str
    owner: subprocess.Popen[bytes]
    services: Services
    journal: Journal
    values: dict[str, Any] = field(default_factory=lambda: {"seed": 7})
    place: int = 0
    resumed: str = ""
    generators: Any = None
    ended: RunStatus | None = None
    broken: bool = False


class World:
    """One project.

    Args:
        root: its directory.
        tracking_uri: a store that the worlds of one test share, because to make one takes seconds.
    """

    def __init__(self, root: Path, tracking_uri: str) -> None:
        self.settings = Settings(root, tracking_uri, experiment="machine")
        self.values = DiskStore(self.settings.values)
        self.runs: dict[str, Run] = {}
        self.executed: dict[str, list[str]] = {}
        self.down = False
        self.lossy = False

    # what may happen

    def start(self, resumes: Run | None = None) -> Run:
        owner = subprocess.Popen([sys.executable, "-S", "-E", "-c", "import time; time.sleep(900)"])
        key = new_key()
        path = self.settings.lease(key)
        lease.take_lease(path, owner_of(owner.pid))
        directory = self.settings.runs / key
        journal = Journal(directory, held=lease.held(path))
        journal.append("run_opened", format=FORMAT, name="machine", run_kind="module", params={"seed": 7},
                       resumed_from=resumes.key if resumes else "")  # fmt: skip
        memory = RunMemory(
            self.values, journal, directory, earlier=Earlier(self.settings.runs / resumes.key) if resumes else None,
            entries=Entries(self.settings.cache),
        )  # fmt: skip
        services = Services(events=journal, values=self.values, memory=memory, directory=directory, run=key)
        run = Run(key, owner, services, journal, resumed=resumes.key if resumes else "")
        run.generators = random.Random(key).getstate()
        self.runs[key] = run
        return run

    def step(self, run: Run) -> None:
        """The next step, in the owner's place."""
        name, function, takes, gives = steps.STEPS[run.place]
        results: list[Any] = []
        calls = self.executed.setdefault(run.key, [])

        def body() -> Any:
            calls.append(name)
            results.append(function(*(run.values[n] for n in takes)))
            return name_outputs(results[-1], gives)

        work = Work(
            name=name, body=body, inputs={n: run.values[n] for n in takes}, policy=Policy(),
            code=lambda: code_of_function(function), form=lambda: form_of(results[-1], gives),
            restored=lambda found: run.values.update(found.others),
        )  # fmt: skip
        outcome = self.as_in(run, lambda: run_step(work, run.services))
        run.values.update(outcome.outputs)
        metric = {"key": f"m/{name}", "value": float(run.place), "timestamp": 1000 + run.place, "step": 0}
        run.journal.append("logged", metrics=[metric])
        run.place += 1

    def as_in(self, run: Run, do: Callable[[], Any]) -> Any:
        """Do something with the random generators of the run's own process."""
        here = random.getstate()
        random.setstate(run.generators)
        try:
            return do()
        finally:
            run.generators = random.getstate()
            random.setstate(here)

    def end(self, run: Run, status: RunStatus) -> None:
        run.journal.append("run_finished", status=status.value, by=run.key)
        run.ended = status
        self.close(run)

    def kill(self, run: Run, torn: bytes = b"") -> None:
        """The owner dies, perhaps in the middle of a line."""
        if torn:
            with run.journal.path.open("ab") as file:
                file.write(torn)
        self.close(run)

    def close(self, run: Run) -> None:
        run.journal.close()
        if run.owner.poll() is None:
            run.owner.kill()
            run.owner.wait()

    def corrupt(self, choice: int) -> None:
        """A byte of a stored value, or of a cache entry, is another one."""
        folders = (self.settings.values, self.settings.cache)
        files = sorted(p for folder in folders for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))
        if files:
            path = files[choice % len(files)]
            data = bytearray(path.read_bytes())
            if data:
                data[choice % len(data)] ^= 1 + choice % 255
                path.chmod(0o600)
                path.write_bytes(bytes(data))
                self.lossy = True

    def collect(self) -> None:
        """Values that only old runs need are removed."""
        prune(self.settings, Keep(runs=2, grace=0.0))
        self.lossy = True

    def sweep(self) -> reaper.Swept:
        return reaper.sweep(self.settings)

    # what must hold

    def check(self) -> None:
        for run in self.runs.values():
            record = read_record(self.settings.runs / run.key)
            alive = run.owner.poll() is None
            if run.ended is not None:
                assert record.status is run.ended, "an end is the end"
            elif alive:
                assert record.status is RunStatus.RUNNING, "a living owner's run is nobody else's to end"
            else:
                assert record.status in (RunStatus.RUNNING, RunStatus.KILLED)
            if record.status is RunStatus.FINISHED:
                assert [s.name for s in record.steps] == [name for name, *_ in steps.STEPS]
                assert all(s.state.value != "failed" for s in record.steps)

    def check_values(self, run: Run) -> None:
        """The run has the values that an undisturbed one has."""
        known = steps.reference(run.place)
        assert {name: run.values[name] for name in known} == known
        if run.place >= 3:
            assert run.values["left"] is run.values["right"], "two names of one object stay that"

    def check_tracking(self) -> None:
        """The store is there: MLflow knows of each run what its journal says, once."""
        swept = self.sweep()
        assert swept.unsent == ()
        client = mlstore.connect(self.settings)
        experiment = client.get_experiment_by_name("machine")
        for run in self.runs.values():
            if run.owner.poll() is None or experiment is None:
                continue
            found = client.search_runs([experiment.experiment_id], f"tags.`p2p.run` = '{run.key}'")
            assert len(found) == 1, f"{run.key} is {len(found)} runs in MLflow"
            record = read_record(self.settings.runs / run.key)
            assert found[0].info.status == record.status.value != "RUNNING"
            events = read_events(self.settings.runs / run.key)
            logged = {m["key"]: m["value"] for e in events if e["kind"] == "logged" for m in e["metrics"]}
            assert {k: v for k, v in found[0].data.metrics.items() if k.startswith("m/")} == logged
        assert list(lease.leases(self.settings.open_runs)) == [] or any(
            run.owner.poll() is None for run in self.runs.values()
        )

    def close_all(self) -> None:
        for run in self.runs.values():
            self.close(run)
        assert not [c for c in psutil.Process().children() if c.status() == psutil.STATUS_RUNNING and c.pid in
                    {run.owner.pid for run in self.runs.values()}]  # fmt: skip
        shutil.rmtree(self.settings.root, ignore_errors=True)


def journal_of(settings: Settings, key: str) -> Path:
    return settings.runs / key / NAME
