"""The `p2p` command."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from p2p.cli import stores
from p2p.cli.options import Json
from p2p.cli.signals import sigterm_interrupts
from p2p.errors import InputRefused, P2PError

# Plain help pages: rich's take five times as long, as it loads its parser of markdown and the names of all lexers.
app = typer.Typer(
    name="p2p", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
    help="From notebook to production, and back.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)  # fmt: skip

app.add_typer(stores.app, name="store")
Params = Annotated[list[str] | None, typer.Option("-p", "--param", metavar="NAME=VALUE", help="Set a parameter.")]
ParamsFile = Annotated[
    Path | None, typer.Option("-f", "--params-file", metavar="FILE", help="Parameters from a YAML or JSON file.")
]


def _version(shown: bool) -> None:
    if shown:
        from importlib import metadata

        typer.echo(f"p2p {metadata.version('p2p-toolkit')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """From notebook to production, and back."""
    from p2p.settings import load_settings

    settings = load_settings()
    if settings.open_runs.is_dir():
        from p2p.cli.doctor import look_for_the_dead

        look_for_the_dead(settings)


@app.command()
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


@app.command()
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
    engine: Annotated[
        str,
        typer.Option(
            "--engine", metavar="ENGINE",
            help="Where a pipeline's steps run: local, dask (workers on this machine), or a Dask scheduler's address.",
        ),
    ] = "local",
    warm: Annotated[
        bool,
        typer.Option("--warm/--cold", help="Fork the kernel of a process that has imported the libraries."),
    ] = False,
    jobs: Annotated[
        int, typer.Option("-j", "--jobs", metavar="N", help="How many of a pipeline's steps run at once.", min=1)
    ] = 1,
    json: Json = False,
) -> None:  # fmt: skip
    """Run a notebook or a pipeline as one tracked run."""
    from p2p.cli.reuse import reuse_of
    from p2p.cli.targets import is_notebook
    from p2p.params import load_params_file, parse_assignments

    given = load_params_file(params_file) if params_file else {}
    text = parse_assignments(param or [])
    given = {name: value for name, value in given.items() if name not in text}
    if is_notebook(target):
        if engine != "local":
            raise InputRefused("A notebook runs in one kernel, not on Dask.", cure="Export it, and run the pipeline.")
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
        code = _run_pipeline(target, given, text, reuse_of(resume, no_cache), as_json=json, engine=engine, jobs=jobs)
    _keep_store_small()
    raise typer.Exit(code)


@app.command()
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
    jobs: Annotated[
        str, typer.Option("-j", "--jobs", metavar="N", help="Points that run at a time; auto for one on each core.")
    ] = "1",
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
        optimize=optimize, trials=trials,
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
    target: str, given: dict[str, Any], text: dict[str, str], reuse: Any, *, as_json: bool, engine: str, jobs: int
) -> int:
    from p2p.cli.module import run_shown
    from p2p.cli.targets import load_pipeline
    from p2p.model import RunStatus
    from p2p.params import ParameterSet
    from p2p.settings import load_settings

    settings = load_settings()
    pipeline = load_pipeline(target, settings)
    known = reuse(settings)
    values = ParameterSet.of(pipeline.params).parse({**known.parameters({*given, *text}), **given}, text=text)
    outcome = run_shown(pipeline, values, settings, as_json=as_json, reuse=known, engine=engine, jobs=jobs)
    return 0 if outcome.status is RunStatus.FINISHED else 1


@app.command()
def adopt(
    notebook: Annotated[Path, typer.Argument(help="A plain notebook.")],
    write: Annotated[bool, typer.Option("--write", help="Mark its cells; nothing else in the file changes.")] = False,
    json: Json = False,
) -> None:
    """Propose steps for a plain notebook."""
    from p2p.adoption import mark, propose
    from p2p.cli import show
    from p2p.cli.adoptions import answer, show_proposal
    from p2p.notebook.document import read_notebook

    proposal = propose(read_notebook(notebook))
    if write:
        mark(proposal)
    if json:
        show.answer_json(answer(proposal, written=write))
    else:
        show_proposal(proposal, written=write)


@app.command()
def export(
    notebook: Annotated[Path, typer.Argument(help="The notebook.")],
    name: Annotated[str, typer.Option("--name", help="The pipeline's name (default: the notebook's).")] = "",
    tolerance: Annotated[
        float | None,
        typer.Option(help="The part of a floating-point number by which the module's may differ.", min=0, max=1),
    ] = None,
    json: Json = False,
) -> None:
    """Write a notebook as the next version of a pipeline, proven to give the notebook's results."""
    from p2p.cli import show
    from p2p.cli.exports import answer, show_export
    from p2p.cli.progress import Watch
    from p2p.export import TOLERANCE, ExportOptions, export_notebook
    from p2p.settings import load_settings

    settings = load_settings(notebook)
    with Watch(quiet=json) as watch:
        given = TOLERANCE if tolerance is None else tolerance
        options = ExportOptions(name=name, tolerance=given, tell=watch.tell, watch=watch)
        done = export_notebook(notebook, settings, options)
    if json:
        show.answer_json(answer(done))
    else:
        show_export(done, settings)


@app.command()
def promote(
    target: Annotated[str, typer.Argument(metavar="NAME@N", help="The version to promote.")],
    json: Json = False,
) -> None:
    """Make a version the one that production runs."""
    from p2p.cli import show
    from p2p.cli.targets import exact_version
    from p2p.promote import promote as promote_version
    from p2p.settings import load_settings

    name, version = exact_version(target)
    before, now = promote_version(name, version, load_settings())
    if json:
        show.answer_json({"pipeline": name, "before": before, "promoted": now})
    else:
        show.out.print(f"{name}: version {now} is promoted" + (f" (was {before})" if before != now else " (as before)"))


@app.command()
def pull(
    target: Annotated[str, typer.Argument(metavar="NAME@N", help="The version that was edited.")],
    json: Json = False,
) -> None:
    """Bring edits of an exported module back into the notebook's cells."""
    from p2p.cli import show
    from p2p.cli.drifts import pull_answer, show_pull
    from p2p.cli.targets import exact_version
    from p2p.drift import pull as pull_version
    from p2p.settings import load_settings

    settings = load_settings()
    done = pull_version(*exact_version(target), settings)
    if json:
        show.answer_json(pull_answer(done, settings))
    else:
        show_pull(done, settings)


@app.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="NAME@1", help="The earlier version.")],
    after: Annotated[str, typer.Argument(metavar="NAME@2", help="The later version.")],
    json: Json = False,
) -> None:
    """Show what changed between two versions: parameters, contracts, steps, values."""
    from p2p.cli import show
    from p2p.cli.drifts import diff_answer, show_diff
    from p2p.cli.targets import exact_version
    from p2p.drift import diff as diff_versions
    from p2p.settings import load_settings

    found = diff_versions(exact_version(before), exact_version(after), load_settings())
    if json:
        show.answer_json(diff_answer(found))
    else:
        show_diff(found)


@app.command()
def status(
    old: Annotated[
        str, typer.Option("--old", metavar="AGE", help="The age at which a good run counts as old.")
    ] = "30d",
    json: Json = False,
) -> None:
    """Show every notebook and pipeline: its versions, its last good run, and what drifted."""
    from p2p.cli import show
    from p2p.cli.drifts import show_status, status_answer
    from p2p.drift import standing
    from p2p.quantities import seconds_in
    from p2p.settings import load_settings

    rows = standing(load_settings(), old=seconds_in(old, "--old"))
    if json:
        show.answer_json(status_answer(rows))
    else:
        show_status(rows)


@app.command()
def doctor(
    gone: Annotated[
        list[str] | None, typer.Option("--gone", metavar="HOST", help="A machine that is gone for good.")
    ] = None,
    json: Json = False,
) -> None:
    """End runs whose process died, send to MLflow what could not be sent, and say what is still open."""
    from p2p.cli.doctor import examine
    from p2p.settings import load_settings

    raise typer.Exit(examine(load_settings(), gone or [], as_json=json))


@app.command()
def ui(
    port: Annotated[int, typer.Option("--port", help="The port on the loopback address.")] = 5000,
) -> None:
    """Open MLflow's UI on this project's store, on the loopback address."""
    from p2p.cli.ui import serve
    from p2p.settings import load_settings

    raise typer.Exit(serve(load_settings(), port))


def main() -> NoReturn:
    """The command's way in: every error is one paragraph, and the exit code says what kind it was."""
    _show_warnings()
    try:
        with sigterm_interrupts():
            code = app(standalone_mode=False)
    except P2PError as problem:
        from p2p.cli import show

        if "--debug" in sys.argv:
            raise
        show.error(problem, as_json="--json" in sys.argv)
        code = problem.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except Exception as problem:  # noqa: BLE001  # the last line of defence: told in one paragraph
        code = _usage_or_bug(problem)
    sys.exit(code if isinstance(code, int) else 0)


def _show_warnings() -> None:
    """p2p's warnings are shown as the command's own, once."""
    from p2p.cli.warned import Warnings

    log = logging.getLogger("p2p")
    if not any(isinstance(handler, Warnings) for handler in log.handlers):
        log.addHandler(Warnings(logging.WARNING))


def _usage_or_bug(problem: Exception) -> int:
    """A usage error as the parser shows it; anything else is a defect of p2p, told in one paragraph."""
    if hasattr(problem, "show") and hasattr(problem, "exit_code"):
        problem.show()
        return int(problem.exit_code)
    if "--debug" in sys.argv:
        raise problem
    from p2p.cli import show
    from p2p.cli.text import escape

    show.err.print(
        f"[red]error:[/] {escape(type(problem).__name__)}: {escape(str(problem))} "
        "This is a defect of p2p; `p2p --debug ...` shows where."
    )
    return 1
