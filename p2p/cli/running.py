"""`p2p params`, `p2p run` and `p2p sweep`: their options. Everything heavy is imported when a command is at work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from p2p.cli.options import Json
from p2p.errors import InputRefused

Params = Annotated[list[str] | None, typer.Option("-p", "--param", metavar="NAME=VALUE", help="Set a parameter.")]
ParamsFile = Annotated[
    Path | None, typer.Option("-f", "--params-file", metavar="FILE", help="Parameters from a YAML or JSON file.")
]
Engine = Annotated[
    str,
    typer.Option(
        "--engine", metavar="ENGINE",
        help="Where a pipeline's steps run: local, dask (workers on this machine), or a Dask scheduler's address.",
    ),
]  # fmt: skip


def params(
    notebook: Annotated[Path, typer.Argument(help="The notebook.")],
    json: Json = False,
) -> None:
    """Show a notebook's parameters: name, type, default, help, bounds."""
    from p2p.cli import show
    from p2p.notebook.document import parameters_of, read_notebook

    described = parameters_of(read_notebook(notebook)).describe()
    if json:
        show.answer_json(described)
    elif not described:
        show.out.print("no parameters: tag a cell `parameters` to have some")
    else:
        rows = [[p["name"], str(p["type"]), _default(p), _bounds(p["bounds"]), p["help"] or ""] for p in described]
        show.table(["name", "type", "default", "bounds", "help"], rows)


def _default(facts: dict[str, Any]) -> str:
    return "required" if facts["required"] else repr(facts["default"])


def _bounds(bounds: dict[str, Any]) -> str:
    return ", ".join(f"{k} {v}" for k, v in (bounds or {}).items())


def run(
    target: Annotated[str, typer.Argument(help="A notebook, a pipeline NAME, or a version NAME@3.")],
    param: Params = None,
    params_file: ParamsFile = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Also write the executed notebook here.")
    ] = None,
    log_output: Annotated[bool, typer.Option("--log-output", help="Stream what the cells print.")] = False,
    cwd: Annotated[
        Path | None, typer.Option("--cwd", help="The kernel's working directory (default: the notebook's).")
    ] = None,
    cell_timeout: Annotated[
        int | None, typer.Option("--cell-timeout", help="Seconds one cell may take.", min=1)
    ] = None,
    resume: Annotated[
        str, typer.Option("--resume", metavar="RUN", help="Go on after the last good step of this run.")
    ] = "",
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Run every step, also where its result is known.")
    ] = False,
    engine: Engine = "local",
    warm: Annotated[
        bool,
        typer.Option("--warm/--cold", help="Fork the kernel of a process that has imported the libraries."),
    ] = False,
    jobs: Annotated[
        int, typer.Option("-j", "--jobs", metavar="N", help="How many of a pipeline's steps run at once.", min=1)
    ] = 1,
    until: Annotated[str, typer.Option("--until", metavar="STEP", help="End a pipeline after this step.")] = "",
    when: Annotated[
        str, typer.Option("--when", metavar="WHEN", help="Fill in {logical_date} and the like, by the times of this.")
    ] = "",
    tz: Annotated[str, typer.Option("--tz", metavar="ZONE", help="Time zone of --when (default: the machine's).")] = "",
    at: Annotated[
        str, typer.Option("--at", metavar="TIME", help="The logical time (default: the last one of --when).")
    ] = "",
    json: Json = False,
) -> None:  # fmt: skip
    """Run a notebook or a pipeline as one tracked run."""
    from p2p.cli.reuse import reuse_of
    from p2p.export.targets import is_notebook, refuse_elsewhere
    from p2p.params import load_params_file, parse_assignments

    given = load_params_file(params_file) if params_file else {}
    text = _filled(parse_assignments(param or []), when, tz, at)
    given = {name: value for name, value in given.items() if name not in text}
    if is_notebook(target):
        refuse_elsewhere(engine)
        if until:
            raise InputRefused("A notebook runs to its end.", cure="Export it, and run the pipeline.")
        if jobs > 1:
            raise InputRefused(
                "The cells of a notebook run one after another, in one kernel; -j is for pipelines.",
                cure="Export it, and run the pipeline.",
            )
        from p2p.cli.notebooks import run_notebook_shown

        options = {"output": output, "directory": cwd, "cell_timeout": cell_timeout}
        code = run_notebook_shown(
            Path(target), given, text, options, reuse_of(resume, no_cache), log_output=log_output, as_json=json,
            warm=warm,
        )  # fmt: skip
    else:
        code = _run_pipeline(
            target, given, text, reuse_of(resume, no_cache), as_json=json, engine=engine, jobs=jobs, until=until
        )
    _keep_store_small()
    raise typer.Exit(code)


def _filled(text: dict[str, str], when: str, tz: str, at: str) -> dict[str, str]:
    """The parameters with their fields of a tick filled in, where the times are told."""
    if not when:
        if at or tz:
            raise InputRefused(f"{'--at' if at else '--tz'} is for the times of --when.", cure="Say --when WHEN too.")
        return text
    from p2p.scheduling.fields import filled
    from p2p.scheduling.owners import utc_now
    from p2p.scheduling.triggers import local_zone, read_moment

    zone = tz or local_zone()
    moment = read_moment(at, zone, "--at") if at else None
    return filled(text, when, zone, now=utc_now(), moment=moment)


def sweep(
    target: Annotated[str, typer.Argument(help="A notebook, a pipeline NAME, or a version NAME@3.")],
    param: Annotated[
        list[str] | None,
        typer.Option("-p", "--param", metavar="NAME=V1,V2,...", help="The values of a parameter, parted by commas."),
    ] = None,
    points: Annotated[
        Path | None,
        typer.Option("-f", "--points-file", metavar="FILE", help="Points from a CSV, YAML or JSON file: a row each."),
    ] = None,
    grid: Annotated[bool, typer.Option("--grid", help="All combinations of the values (the default).")] = False,
    sample: Annotated[
        int,
        typer.Option("--sample", metavar="N", min=0, help="Draw N points from the values, types and bounds."),
    ] = 0,
    seed: Annotated[int | None, typer.Option("--seed", help="Of what is drawn; recorded with the sweep.")] = None,
    log: Annotated[
        list[str] | None,
        typer.Option("--log", metavar="NAME", help="Draw this parameter evenly by its logarithm."),
    ] = None,
    optimize: Annotated[
        str,
        typer.Option("--optimize", metavar="GOAL", help="maximize:NAME or minimize:NAME, with Optuna (an extra)."),
    ] = "",
    trials: Annotated[int, typer.Option("--trials", metavar="N", min=1, help="Points of --optimize.")] = 20,
    engine: Engine = "local",
    jobs: Annotated[
        str, typer.Option("-j", "--jobs", metavar="N", help="Points that run at a time; auto for one on each core.")
    ] = "",
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Go on with further points when one failed.")
    ] = False,
    resume: Annotated[
        str, typer.Option("--resume", metavar="RUN", help="Go on with this sweep: its finished points are kept.")
    ] = "",
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Run every step, also where its result is known.")
    ] = False,
    html: Annotated[bool, typer.Option("--html", help="Keep each executed notebook as HTML too.")] = False,
    warm: Annotated[
        bool, typer.Option("--warm/--cold", help="Fork kernels from a process that has imported the libraries.")
    ] = True,
    log_output: Annotated[bool, typer.Option("--log-output", help="Stream what cells and steps print.")] = False,
    cwd: Annotated[
        Path | None, typer.Option("--cwd", help="The kernels' working directory (default: the notebook's).")
    ] = None,
    cell_timeout: Annotated[
        int | None, typer.Option("--cell-timeout", help="Seconds one cell may take.", min=1)
    ] = None,
    json: Json = False,
) -> None:
    """Run a notebook or a pipeline at many points, as one parent run with a run for each."""
    from p2p.cli.sweeps import Asked, sweep_shown

    asked = Asked(
        params=param or (), points=points, grid=grid, sample=sample, seed=seed, by_log=log or (), jobs=jobs,
        engine=engine, optimize=optimize, trials=trials,
        keep_going=keep_going, resume=resume, cache=not no_cache, html=html, warm=warm, log=log_output, directory=cwd,
        cell_timeout=cell_timeout,
    )  # fmt: skip
    code = sweep_shown(target, asked, as_json=json)
    _keep_store_small()
    raise typer.Exit(code)


def _keep_store_small() -> None:
    from p2p.cli.storing import prune_over_limit
    from p2p.settings import load_settings

    prune_over_limit(load_settings())


def _run_pipeline(
    target: str, given: dict[str, Any], text: dict[str, str], reuse: Any, *, as_json: bool, engine: str, jobs: int,
    until: str,
) -> int:  # fmt: skip
    from p2p.cache import UNTIL
    from p2p.cli.module import run_shown
    from p2p.export.targets import load_pipeline
    from p2p.model import RunStatus
    from p2p.params import ParameterSet
    from p2p.settings import load_settings

    settings = load_settings()
    pipeline = load_pipeline(target, settings)
    known = reuse(settings)
    values = ParameterSet.of(pipeline.params).parse({**known.parameters({*given, *text}), **given}, text=text)
    part = pipeline.until(until) if until else pipeline
    tags = {UNTIL: until} if len(part.tasks) < len(pipeline.tasks) else {}
    outcome = run_shown(part, values, settings, as_json=as_json, reuse=known, engine=engine, jobs=jobs, tags=tags)
    return 0 if outcome.status is RunStatus.FINISHED else 1
