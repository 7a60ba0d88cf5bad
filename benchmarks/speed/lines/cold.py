"""One run from the command line, nothing warm and nothing cached: `p2p run` and `papermill` on the same notebook."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.commands import PROJECT
from benchmarks.speed import notebooks
from benchmarks.speed.bench import Bench
from benchmarks.speed.measuring import Side
from benchmarks.speed.projects import PLAIN, with_notebook
from benchmarks.speed.rows import SECONDS, Bar, Row

CELLS = 200
_SAME = Bar("cost", 1.15)


def rows(bench: Bench) -> Iterator[Row]:
    """In a project that has run before, and in a new one, where p2p also makes MLflow's store."""
    for name in ("flight_delays", "penguins"):
        yield from _of(bench, PROJECT / "notebooks" / f"{name}.ipynb", name, _SAME)
    with tempfile.TemporaryDirectory() as folder:
        made = notebooks.write(Path(folder) / "light.ipynb", notebooks.light(CELLS))
        yield from _of(bench, made, f"{CELLS}-cell notebook", Bar("better", 3))


def _of(bench: Bench, notebook: Path, name: str, bar: Bar) -> Iterator[Row]:
    command = [sys.executable, "-m", "p2p", "run", notebook.name, "--json"]
    found = bench.measured({
        "p2p": Side(command, with_notebook(notebook)),
        "papermill": Side([sys.executable, "-m", "papermill", PLAIN, "executed.ipynb", "-k", "python3"],
                          with_notebook(notebook)),
        "first": Side(command, with_notebook(notebook, first=True)),
    })  # fmt: skip
    for side, what in (("p2p", "one cold run"), ("first", "first run of a new project")):
        yield Row(work=f"{name}: {what}", unit=SECONDS, ours=found[side].figure(), peer="papermill CLI",
                  theirs=found["papermill"].figure(), bar=bar)  # fmt: skip
