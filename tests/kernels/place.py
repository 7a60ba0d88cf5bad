"""A project in which notebooks run in cold and warm kernels, one after the other, and what they showed."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from p2p.kernels import WarmKernels
from p2p.notebook import RunOptions, run_notebook
from p2p.outcome import RunOutcome
from p2p.settings import Settings
from p2p.tracking import read_events
from p2p.tracking.beside import Beside
from p2p.tracking.driver import PartOf
from p2p.tracking.facts import surroundings
from p2p.tracking.journal import new_key
from tests.building import write_notebook

MODES = ("cold", "warm")


@dataclass
class Place:
    """A project whose runs share a sidecar and what forks their kernels."""

    settings: Settings
    beside: Beside
    kernels: WarmKernels
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def run(self, mode: str, *cells: str, path: Path | None = None, **options: Any) -> RunOutcome:
        """Run these cells (or the notebook at `path`) in a kernel of this kind."""
        path = path or write_notebook(self.settings.root / "notebooks" / f"n{next(self._numbers)}.ipynb", *cells)
        kernels = self.kernels if mode == "warm" else None
        chosen = RunOptions(html=False, part_of=self.part(), kernels=kernels, **options)
        with _without_pytest():
            outcome = run_notebook(path, self.settings, options=chosen)
        started = self.started(outcome)
        assert started is None or started["warm"] == (mode == "warm"), started
        return outcome

    def part(self) -> PartOf:
        """What a run needs to share the sidecar: nobody waits for MLflow at its end."""
        around = surroundings(self.settings.root)
        return PartOf(whole="all", beside=self.beside, around=around, key=new_key(), point=1, side_by_side=False)

    def events(self, outcome: RunOutcome) -> list[dict[str, Any]]:
        return read_events(self.settings.runs / outcome.key)

    def started(self, outcome: RunOutcome) -> dict[str, Any] | None:
        return next((event for event in self.events(outcome) if event["kind"] == "kernel_started"), None)


def texts(outcome: RunOutcome) -> list[str]:
    """What each code cell printed, or its error."""
    assert outcome.executed is not None
    cells = json.loads(Path(outcome.executed).read_text(encoding="utf-8"))["cells"]
    return [
        "".join("".join(o.get("text", [])) or o.get("ename", "") for o in c["outputs"])
        for c in cells if c["cell_type"] == "code"
    ]  # fmt: skip


@contextmanager
def _without_pytest() -> Iterator[None]:
    """Without the variable that pytest changes all the time: a changed environment is no place for a warm kernel."""
    told = os.environ.pop("PYTEST_CURRENT_TEST", None)
    try:
        yield
    finally:
        if told is not None:
            os.environ["PYTEST_CURRENT_TEST"] = told
