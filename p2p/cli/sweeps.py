"""`p2p sweep`: from its options to a sweep, shown while it runs and when it has ended."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from p2p.cli import show
from p2p.cli.module import notebook_digest
from p2p.cli.sweeping import LiveTable, show_sweep
from p2p.cli.targets import is_notebook, load_pipeline
from p2p.errors import InputRefused
from p2p.model import RunStatus
from p2p.params import parse_assignments
from p2p.settings import Settings, load_settings
from p2p.sweep import (
    Listed,
    NotebookTarget,
    PipelineTarget,
    Point,
    Request,
    SweepInterrupted,
    SweepOptions,
    plan,
    run_sweep,
)
from p2p.sweep.files import read_rows
from p2p.sweep.planning import shown_parameters
from p2p.sweep.resuming import resumed
from p2p.sweep.sources import Source
from p2p.sweep.story import Gone
from p2p.sweep.targets import NotebookOptions, Target


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The options of `p2p sweep`, as they were given."""

    params: Sequence[str] = ()
    points: Path | None = None
    sample: int = 0
    grid: bool = False
    seed: int | None = None
    by_log: Sequence[str] = ()
    jobs: str = "1"
    keep_going: bool = False
    resume: str = ""
    cache: bool = True
    html: bool = False
    log: bool = False
    directory: Path | None = None
    cell_timeout: int | None = None


def sweep_shown(target: str, asked: Asked, *, as_json: bool) -> int:
    """Run a sweep, show how it goes and ends; gives the exit code."""
    settings = load_settings(Path(target)) if is_notebook(target) else load_settings()
    of = _target(target, asked, settings)
    source, points, gone = _points(of, asked, settings)
    options = SweepOptions(
        jobs=_jobs(asked.jobs), keep_going=asked.keep_going, cache=asked.cache, gone=gone,
        secrets=frozenset[str]().union(*(point.secrets for point in points)), params=shown_parameters(points),
    )  # fmt: skip
    code = 0
    try:
        with LiveTable(quiet=as_json) as table:
            done = run_sweep(of, source, settings, options=options, watch=table)
    except SweepInterrupted as stopped:
        done, code = stopped.outcome, 130
    if as_json:
        show.answer_json(done.as_dict())
    else:
        show_sweep(done, target)
    return code or (0 if done.status is RunStatus.FINISHED else 1)


def _target(target: str, asked: Asked, settings: Settings) -> Target:
    if is_notebook(target):
        options = NotebookOptions(
            directory=asked.directory, log=sys.stderr if asked.log else None, cell_timeout=asked.cell_timeout,
            html=asked.html,
        )  # fmt: skip
        return NotebookTarget(Path(target), settings, options)
    pipeline = load_pipeline(target, settings)
    return PipelineTarget(pipeline, settings, notebook_digest=notebook_digest(pipeline, settings), log=asked.log)


def _points(of: Target, asked: Asked, settings: Settings) -> tuple[Source, tuple[Point, ...], Gone]:
    """Where the points come from, those that are known ahead, and what of them is done."""
    values = parse_assignments(asked.params)
    if asked.resume:
        _only_secrets(asked)
        found = resumed(asked.resume, of.facts, of.parameters, settings, secrets=values)
        how = {name: found.planned.get(name) for name in ("how", "seed", "repeated")}
        return Listed(found.points, frozenset(found.gone.results), **how), found.points, found.gone
    if asked.grid and asked.sample:
        raise InputRefused("A grid is all combinations, a sample some.", cure="Give --grid or --sample, not both.")
    rows = read_rows(asked.points) if asked.points else ()
    request = Request(values=values, rows=rows, sample=asked.sample, seed=asked.seed, by_log=asked.by_log)
    made = plan(of.parameters, request)
    if made.repeated:
        show.err.print(f"[dim]{made.repeated} points are the same as others and are run once[/]")
    return Listed(made.points, how=made.how, seed=made.seed, repeated=made.repeated), made.points, Gone()


def _only_secrets(asked: Asked) -> None:
    if asked.points or asked.sample or asked.grid or asked.by_log or asked.seed is not None:
        raise InputRefused(
            "A sweep that is resumed has its points already.",
            cure="Give --resume without other points, or a new sweep.",
        )


def _jobs(text: str) -> int:
    """How many points run at a time; all cores for `auto` and 0."""
    if text.strip().lower() in ("auto", "0"):
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not text.strip().isdecimal() or int(text) > 256:
        raise InputRefused(f"-j {text[:20]!r} is no number of points at a time.", cure="Give 1 to 256, or auto.")
    return int(text)
