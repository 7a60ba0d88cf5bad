"""Many runs of one notebook: `p2p sweep`, and `papermill.execute_notebook` in one process."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed import notebooks
from benchmarks.speed.bench import Bench
from benchmarks.speed.measuring import Measured, Missing, Side, worker
from benchmarks.speed.projects import PLAIN, with_notebook
from benchmarks.speed.rows import SECONDS_PER_RUN, Bar, Row


@dataclass(frozen=True)
class Sweep:
    """A sweep over `i` from 1 to `many`; the one to `few` tells what a run costs once everything is warm."""

    name: str
    cells: list[str]
    bar: float
    many: int = 20
    few: int = 5


SWEEPS = (
    Sweep("heavy notebook", notebooks.heavy(), 15),
    Sweep("20-cell notebook", notebooks.light(20), 5),
    Sweep("200-cell notebook", notebooks.light(200), 6, many=8, few=2),  # papermill takes seconds for each
)


def rows(bench: Bench) -> Iterator[Row]:
    for sweep in SWEEPS:
        with tempfile.TemporaryDirectory() as folder:
            yield from _of(bench, sweep, notebooks.write(Path(folder) / "swept.ipynb", sweep.cells))


def _of(bench: Bench, sweep: Sweep, notebook: Path) -> Iterator[Row]:
    """Whole commands divided by their runs; then what one run more costs."""
    jobs = {"p2p": 1, "p2p, 2 at a time": 2}
    sides = {
        (side, count): ours(notebook, count, jobs[side]) if side in jobs else theirs(notebook, count)
        for count in (sweep.many, sweep.few) for side in ("p2p", "papermill", "p2p, 2 at a time")
    }  # fmt: skip
    found = bench.measured({f"{side} {count}": made for (side, count), made in sides.items()})
    for side, suffix in (("p2p", ""), ("p2p, 2 at a time", ", 2 at a time")):
        for what, of, bar in (("one run more", one_more, Bar("better", sweep.bar)), ("whole command", whole, None)):
            ours_found, theirs_found = (
                of(found[f"{name} {sweep.many}"], found[f"{name} {sweep.few}"], sweep) for name in (side, "papermill")
            )
            yield Row(work=f"{sweep.name}, {sweep.many} runs{suffix}: {what}", unit=SECONDS_PER_RUN,
                      ours=ours_found.figure(), peer="papermill in process",
                      theirs=theirs_found.figure(), bar=bar if not suffix else None)  # fmt: skip


def ours(notebook: Path, count: int, jobs: int) -> Side | Missing:
    if not sweep_is_there():
        return Missing("not there yet (`p2p sweep`)")
    values = ",".join(map(str, range(1, count + 1)))
    command = [sys.executable, "-m", "p2p", "sweep", notebook.name, "-p", f"i={values}", "-j", str(jobs), "--json"]
    return Side(command, with_notebook(notebook))


def theirs(notebook: Path, count: int) -> Side:
    return Side(worker("papermill_runs", PLAIN, count), with_notebook(notebook))


def sweep_is_there() -> bool:
    """Whether this p2p has the command."""
    import typer

    from p2p.cli.app import app

    return "sweep" in getattr(typer.main.get_command(app), "commands", {})


def one_more(many: Measured, few: Measured, sweep: Sweep) -> Measured:
    """What each run beyond the few costs, round by round."""
    if many.why or few.why:
        return Measured(why=many.why or few.why)
    return Measured({
        name: [(whole - part) / (sweep.many - sweep.few)
               for whole, part in zip(many.figures[name], few.figures[name], strict=True)]
        for name in ("wall", "wall_cpu")
    })  # fmt: skip


def whole(many: Measured, _few: Measured, sweep: Sweep) -> Measured:
    """The whole command, divided by its runs."""
    if many.why:
        return many
    return Measured({name: [value / sweep.many for value in many.figures[name]] for name in ("wall", "wall_cpu")})
