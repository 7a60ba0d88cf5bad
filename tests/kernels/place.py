"""A project in which notebooks run in cold and warm kernels, one after the other, and what they showed."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from p2p.kernels import WarmKernels
from p2p.kernels.ahead import imports_ahead
from p2p.notebook import RunOptions, read_notebook, run_notebook
from p2p.outcome import RunOutcome
from p2p.settings import Settings
from p2p.tracking import read_events
from p2p.tracking.beside import Beside
from p2p.tracking.driver import PartOf
from p2p.tracking.facts import surroundings
from p2p.tracking.journal import new_key
from tests.building import write_notebook

MODES = ("cold", "warm", "waiting")
FORKED = MODES[1:]


@dataclass
class Place:
    """A project whose runs share a sidecar and what forks their kernels.

    Attributes:
        kernels: forks a kernel when it is asked for one.
        ahead: has a kernel wait for the run that comes next.
    """

    settings: Settings
    beside: Beside
    kernels: WarmKernels
    ahead: WarmKernels
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def run(self, mode: str, *cells: str, path: Path | None = None, **options: Any) -> RunOutcome:
        """Run these cells (or the notebook at `path`) in a kernel of this kind."""
        path = path or self._write(*cells)
        if mode == "waiting":
            self._have_one_wait(path, options.get("directory"))
        outcome = self.run_as(path, RunOptions(html=False, kernels=self.kernels_for(mode), **options))
        started = self.started(outcome)
        assert started is None or started["warm"] == (mode != "cold"), started
        assert started is None or ("waited" in started) == (mode == "waiting"), started
        return outcome

    def kernels_for(self, mode: str) -> WarmKernels | None:
        return {"cold": None, "warm": self.kernels, "waiting": self.ahead}[mode]

    def _have_one_wait(self, path: Path, directory: Path | None) -> None:
        """Run nothing but the imports of a notebook, after which a kernel waits for it."""
        cells = [cell.source for cell in read_notebook(path).cells]
        imports = [text for text in imports_ahead(cells, directory or path.parent) if ";" not in text]
        self.run_as(self._write(*imports), RunOptions(html=False, kernels=self.ahead, directory=directory))

    def _write(self, *cells: str) -> Path:
        return write_notebook(self.settings.root / "notebooks" / f"n{next(self._numbers)}.ipynb", *cells)

    def run_as(self, path: Path, options: RunOptions) -> RunOutcome:
        """Run the notebook at `path` just as the options say."""
        with _without_pytest():
            return run_notebook(path, self.settings, options=replace(options, part_of=self.part()))

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
