"""Runs, in any order of {start, step, fail, kill, restart, corrupt, lose the server, second process, resume, gc}.

What must hold, whatever happened:
- no step is ever given, and none ever gives, a value that an undisturbed run would not have;
- a run that has ended stays as it ended; FINISHED means that every step is done;
- a run whose owner lives is not ended by anybody else; one whose owner died is KILLED, and cannot be written to;
- a resumed run does nothing again that the earlier one had done, as long as no value was lost;
- when the store is there, MLflow has each run once, with its status and its metrics, and nothing is left open.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from p2p.model import RunStatus
from p2p.tracking import lease, mlstore, sending
from p2p.tracking.lease import RunReplaced
from tests.machine import steps
from tests.machine.world import Run, World

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
BASE: dict[str, Any] = {}


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = World(Path(tempfile.mkdtemp(dir=BASE["folder"])), BASE["uri"])
        BASE["down"] = False

    def open_runs(self) -> list[Run]:
        return [run for run in self.world.runs.values() if run.owner.poll() is None]

    def dead_runs(self) -> list[Run]:
        return [run for run in self.world.runs.values() if run.owner.poll() is not None]

    @precondition(lambda self: len(self.world.runs) < 5)
    @rule()
    def start(self) -> None:
        self.world.start()

    @precondition(lambda self: any(run.place < len(steps.STEPS) for run in self.open_runs()))
    @rule(choice=st.integers(0, 9), count=st.integers(1, 5))
    def step(self, choice: int, count: int) -> None:
        runs = [run for run in self.open_runs() if run.place < len(steps.STEPS)]
        run = runs[choice % len(runs)]
        for _ in range(min(count, len(steps.STEPS) - run.place)):
            self.world.step(run)
            self.world.check_values(run)

    @precondition(lambda self: any(run.place == len(steps.STEPS) for run in self.open_runs()))
    @rule()
    def finish(self) -> None:
        run = next(run for run in self.open_runs() if run.place == len(steps.STEPS))
        self.world.end(run, RunStatus.FINISHED)

    @precondition(lambda self: bool(self.open_runs()))
    @rule(choice=st.integers(0, 9))
    def fail(self, choice: int) -> None:
        runs = self.open_runs()
        self.world.end(runs[choice % len(runs)], RunStatus.FAILED)

    @precondition(lambda self: bool(self.open_runs()))
    @rule(choice=st.integers(0, 9), torn=st.sampled_from([b"", b"\n{", b'\n{"kind": "step_fini', b"\n\x00\xff"]))
    def kill(self, choice: int, torn: bytes) -> None:
        runs = self.open_runs()
        self.world.kill(runs[choice % len(runs)], torn)

    @rule()
    def restart(self) -> None:
        """Another p2p command comes by."""
        self.world.sweep()

    @precondition(lambda self: bool(self.open_runs()))
    @rule(choice=st.integers(0, 9))
    def second_process(self, choice: int) -> None:
        """Another process takes the run over (the owner's machine was said to be gone); the first one goes on."""
        runs = self.open_runs()
        run = runs[choice % len(runs)]
        lease.take_lease(self.world.settings.lease(run.key))
        with pytest.raises(RunReplaced):
            run.journal.append("step_finished", step="late")
        with pytest.raises(RunReplaced):
            self.world.end(run, RunStatus.FINISHED)
        self.world.close(run)
        from p2p.tracking import reaper

        assert reaper.end(self.world.settings, run.key, "taken over")
        run.ended = RunStatus.KILLED

    @precondition(lambda self: bool(self.dead_runs()) and len(self.world.runs) < 5)
    @rule(choice=st.integers(0, 9))
    def resume(self, choice: int) -> None:
        self.world.sweep()
        runs = [run for run in self.dead_runs() if run.ended is not RunStatus.FINISHED]
        if runs:
            earlier = runs[choice % len(runs)]
            run = self.world.start(earlier)
            for _ in range(earlier.place):
                self.world.step(run)
            self.world.check_values(run)
            if not self.world.lossy:
                assert self.world.executed.get(run.key, []) == []

    @rule(choice=st.integers(0, 10_000))
    def corrupt(self, choice: int) -> None:
        self.world.corrupt(choice)

    @rule()
    def collect(self) -> None:
        self.world.collect()

    @rule()
    def lose_server(self) -> None:
        BASE["down"] = True

    @rule()
    def find_server(self) -> None:
        BASE["down"] = False

    @invariant()
    def holds(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        BASE["down"] = False
        try:
            self.world.check_tracking()
        finally:
            self.world.close_all()


@pytest.fixture
def base(ready_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    shutil.copyfile(ready_store, tmp_path / "mlflow.db")
    BASE.update(folder=str(tmp_path), uri=f"sqlite:///{(tmp_path / 'mlflow.db').as_posix()}", down=False)
    connect = mlstore.connect

    def connect_if_there(*args: Any) -> Any:
        if BASE["down"]:
            raise ConnectionError("the server is lost")
        return connect(*args)

    monkeypatch.setattr(sending.mlstore, "connect", connect_if_there)
    yield
    BASE.clear()


def run_machine(examples: int) -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples, stateful_step_count=12, deadline=None, print_blob=True,
            phases=[Phase.explicit, Phase.generate],  # to shrink a history takes longer than to read it
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip


def test_50_histories(base: None) -> None:
    run_machine(50)


@pytest.mark.soak
def test_2000_histories(base: None) -> None:
    from tests.soak.saying import say

    run_machine(2000)
    say("machine: 2,000 histories of up to 12 events, no violation")
