"""`p2p sweep`: from its options to a sweep, shown while it runs and when it has ended."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from p2p.cli import show
from p2p.cli.failed import way_into_point
from p2p.cli.module import notebook_digest
from p2p.cli.sweeping import LiveTable, show_sweep
from p2p.errors import InputRefused
from p2p.export.targets import is_notebook, load_pipeline, refuse_elsewhere
from p2p.model import RunStatus
from p2p.params import parse_assignments
from p2p.runners import LOCAL
from p2p.runners.shared import shared_cluster
from p2p.secrets import MASK
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
from p2p.sweep.drawing import spaces_of
from p2p.sweep.files import read_rows
from p2p.sweep.planning import check_count, fixed_of, fresh_seed, listed_values, shown_parameters
from p2p.sweep.resuming import Resumed, refuse_hidden, resumed
from p2p.sweep.sources import Source
from p2p.sweep.story import Gone
from p2p.sweep.targets import NotebookOptions, Target

_A_CORE: Final = 4  # points on a cluster for each core here: their runs are driven here, which is little work
_JOBS: Final = 100  # points at a time; a sidecar sends somewhat more runs at a time than that


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The options of `p2p sweep`, as they were given."""

    params: Sequence[str] = ()
    points: Path | None = None
    sample: int = 0
    grid: bool = False
    seed: int | None = None
    optimize: str = ""
    trials: int = 20
    by_log: Sequence[str] = ()
    engine: str = LOCAL
    jobs: str = ""
    keep_going: bool = False
    resume: str = ""
    cache: bool = True
    html: bool = False
    warm: bool = True
    log: bool = False
    directory: Path | None = None
    cell_timeout: int | None = None


def sweep_shown(target: str, asked: Asked, *, as_json: bool) -> int:
    """Run a sweep, show how it goes and ends; gives the exit code."""
    settings = load_settings(Path(target)) if is_notebook(target) else load_settings()
    _jobs(asked.jobs, auto=1)  # refused now, if it is to be refused at all
    of = _target(target, asked, settings)
    points = _points(of, asked, settings)
    code = 0
    try:
        with _placed(of, asked) as (placed, jobs), LiveTable(quiet=as_json) as table:
            options = SweepOptions(
                jobs=jobs, keep_going=asked.keep_going, cache=asked.cache, gone=points.gone, secrets=points.secrets,
                params=points.shown,
            )  # fmt: skip
            done = run_sweep(placed, points.source, settings, options=options, watch=table)
    except SweepInterrupted as stopped:
        done, code = stopped.outcome, 130
    if as_json:
        show.answer_json({**done.as_dict(), "debug": way_into_point(done, settings) or None})
    else:
        show_sweep(done, target, way_into_point(done, settings))
    return code or (0 if done.status is RunStatus.FINISHED else 1)


def _target(target: str, asked: Asked, settings: Settings) -> Target:
    if is_notebook(target):
        refuse_elsewhere(asked.engine)
        options = NotebookOptions(
            directory=asked.directory, log=sys.stderr if asked.log else None, cell_timeout=asked.cell_timeout,
            html=asked.html, warm=asked.warm,
        )  # fmt: skip
        return NotebookTarget(Path(target), settings, options)
    pipeline = load_pipeline(target, settings)
    return PipelineTarget(pipeline, settings, notebook_digest=notebook_digest(pipeline, settings), log=asked.log)


@dataclass(frozen=True)
class _Points:
    """Where the points come from, what is known of them ahead, and what of them is done."""

    source: Source
    secrets: frozenset[str]
    shown: Mapping[str, Any]
    gone: Gone = field(default_factory=Gone)


def _points(of: Target, asked: Asked, settings: Settings) -> _Points:
    values = parse_assignments(asked.params)
    if asked.resume:
        _only_secrets(asked)
        return _resumed(of, resumed(asked.resume, of.facts, of.parameters, settings, secrets=values), values)
    if sum(map(bool, (asked.grid, asked.sample, asked.optimize))) > 1:
        raise InputRefused(
            "A grid is all combinations, a sample and an optimizer choose some.", cure="Give one of them."
        )
    if asked.optimize:
        return _optimized(of, asked, values, Gone())
    rows = read_rows(asked.points) if asked.points else ()
    request = Request(values=values, rows=rows, sample=asked.sample, seed=asked.seed, by_log=asked.by_log)
    made = plan(of.parameters, request)
    if made.repeated:
        show.err.print(f"[dim]{made.repeated} points are the same as others and are run once[/]")
    source = Listed(made.points, how=made.how, seed=made.seed, repeated=made.repeated)
    return _Points(source, _secrets(made.points), shown_parameters(made.points))


def _resumed(of: Target, found: Resumed, values: Mapping[str, str]) -> _Points:
    planned = found.planned
    if planned["how"] == "optimize":
        again = Asked(
            optimize=planned["goal"], trials=planned["trials"], seed=planned["seed"], by_log=planned["asked"]["by_log"]
        )
        known = {**planned["asked"]["values"], **values}
        refuse_hidden([name for name, text in known.items() if text == MASK], found.gone.key)
        return _optimized(of, again, known, found.gone)
    how = {name: planned.get(name) for name in ("how", "seed", "repeated")}
    source = Listed(found.points, frozenset(found.gone.results), **how)
    return _Points(source, _secrets(found.points), shown_parameters(found.points), found.gone)


def _optimized(of: Target, asked: Asked, values: Mapping[str, str], gone: Gone) -> _Points:
    from p2p.sweep.optimizing import Goal, Optimized

    if asked.points:
        raise InputRefused("An optimizer chooses its points itself.", cure="Give either -f or --optimize.")
    check_count(asked.trials)
    listed = listed_values(of.parameters, values)
    spaces = spaces_of(of.parameters, listed, asked.by_log)
    hidden = {parameter.name for parameter in of.parameters.parameters if parameter.secret}
    told = {name: MASK if name in hidden else text for name, text in values.items()}
    source = Optimized(
        of.parameters, spaces, fixed_of(spaces, listed), Goal.parse(asked.optimize), trials=asked.trials,
        seed=fresh_seed() if asked.seed is None else asked.seed, done=gone.results,
        asked={"values": told, "by_log": list(asked.by_log)},
    )  # fmt: skip
    return _Points(source, source.first.secrets, told, gone)


def _secrets(points: Sequence[Point]) -> frozenset[str]:
    return frozenset[str]().union(*(point.secrets for point in points))


def _only_secrets(asked: Asked) -> None:
    if asked.points or asked.sample or asked.grid or asked.by_log or asked.optimize or asked.seed is not None:
        raise InputRefused(
            "A sweep that is resumed has its points already.",
            cure="Give --resume without other points, or a new sweep.",
        )


@contextmanager
def _placed(of: Target, asked: Asked) -> Iterator[tuple[Target, int]]:
    """The target as it is to run, and how many of its points run at a time; a cluster lasts as long as the block."""
    if asked.engine == LOCAL or not isinstance(of, PipelineTarget):
        yield of, _jobs(asked.jobs or "1", auto=_cores())
        return
    with shared_cluster(asked.engine, of.pipeline, log=asked.log) as cluster:
        yield of.on(cluster), _jobs(asked.jobs, auto=min(cluster.threads, _A_CORE * _cores(), _JOBS))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _jobs(text: str, *, auto: int) -> int:
    """How many points run at a time; `auto` where no number says so."""
    if text.strip().lower() in ("", "auto", "0"):
        return auto
    if not text.strip().isdecimal() or not 1 <= int(text) <= _JOBS:
        raise InputRefused(f"-j {text[:20]!r} is no number of points at a time.", cure=f"Give 1 to {_JOBS}, or auto.")
    return int(text)
