from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from p2p.cache import Earlier, Entries, RunMemory, code_of_function
from p2p.execution import Outcome, Services, Work, run_step
from p2p.policy import Policy
from p2p.steps.decorator import form_of, name_outputs, rebuilt
from p2p.store import DiskStore
from p2p.tracking import Journal


class Bench:
    """Runs functions as steps of runs that share a store and a cache; each `run` is one run."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.runs = 0
        self.calls: list[str] = []
        self.resumes: Path | None = None
        self.events: list[dict[str, Any]] = []
        self.values = DiskStore(root / "p2p" / "values")

    def run(self, resumes: Path | None = None, *, cache: bool = True) -> Run:
        self.runs += 1
        directory = self.root / "p2p" / "runs" / f"run-{self.runs}"
        return Run(self, directory, resumes, cache)


class Run:
    def __init__(self, bench: Bench, directory: Path, resumes: Path | None, cache: bool) -> None:
        self.directory = directory
        self.journal = Journal(directory)
        entries = Entries(bench.root / "p2p" / "cache") if cache else None
        earlier = Earlier(resumes) if resumes else None
        memory = RunMemory(bench.values, self.journal, directory, earlier=earlier, entries=entries)
        self.services = Services(events=self.journal, values=bench.values, memory=memory, directory=directory)
        self.names: dict[str, Any] = {}

    def step(
        self, function: Callable[..., Any], outputs: tuple[str, ...] = ("y",), policy: Policy | None = None,
        name: str = "", **inputs: Any,
    ) -> Outcome:  # fmt: skip
        results: list[Any] = []

        def body() -> Any:
            results.append(function(**inputs))
            return name_outputs(results[-1], outputs)

        outcome = run_step(
            Work(
                name=name or function.__name__, body=body, inputs=inputs, policy=policy or Policy(),
                code=lambda: code_of_function(function), form=lambda: form_of(results[-1], outputs),
                restored=lambda found: self.names.update({**found.others, "result": rebuilt(found)}),
            ),
            self.services,
        )  # fmt: skip
        self.names.update(outcome.outputs)
        return outcome

    def last(self) -> dict[str, Any]:
        from p2p.tracking import read_events

        return [e for e in read_events(self.directory) if e["kind"] == "step_finished"][-1]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)
