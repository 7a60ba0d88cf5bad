"""The `p2p` command."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from p2p import findings
from p2p.cli import cells, running, schedules, stores
from p2p.cli.options import Json
from p2p.cli.signals import sigterm_interrupts
from p2p.errors import P2PError

# Plain help pages: rich's take five times as long, as it loads its parser of markdown and the names of all lexers.
app = typer.Typer(
    name="p2p", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
    help="From notebook to production, and back.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)  # fmt: skip

app.add_typer(stores.app, name="store")
app.add_typer(schedules.app, name="schedule")


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


for command in (running.params, running.run, running.sweep, cells.tag, cells.mark):
    app.command()(command)


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
    from p2p.export.targets import exact_version
    from p2p.promote import promote as promote_version
    from p2p.settings import load_settings

    name, version = exact_version(target)
    before, now = promote_version(name, version, load_settings())
    if json:
        show.answer_json({"pipeline": name, "before": before, "promoted": now})
    else:
        show.out.print(f"{name}: version {now} is promoted" + (f" (was {before})" if before != now else " (as before)"))


@app.command()
def debug(
    run: Annotated[str, typer.Argument(help="A run's id or key, or the beginning of either.")],
    step: Annotated[str, typer.Option("--step", metavar="STEP", help="The step (default: the one that failed).")] = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The notebook (default: one in debug/).")
    ] = None,
    json: Json = False,
) -> None:
    """Write a notebook that opens at a step of a past run, with its inputs from the store."""
    from p2p.cli import show
    from p2p.cli.debugs import answer, show_debug
    from p2p.debugging import debug as debug_run
    from p2p.settings import load_settings

    settings = load_settings()
    done = debug_run(run, settings, step=step, output=output)
    if json:
        show.answer_json(answer(done, settings))
    else:
        show_debug(done, settings)


@app.command()
def pull(
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="The version NAME@N, or the debug notebook, that was edited.")
    ],
    json: Json = False,
) -> None:
    """Bring edits of an exported module, or of a debug notebook, back into the notebook's cells."""
    from p2p.cli import show
    from p2p.cli.drifts import pull_answer, show_pull
    from p2p.drift import pull as pull_version
    from p2p.export.targets import exact_version, is_notebook
    from p2p.settings import load_settings

    settings = load_settings()
    if is_notebook(target):
        from p2p.cli.debugs import pull_fix

        pull_fix(Path(target), settings, as_json=json)
        return
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
    from p2p.drift import diff as diff_versions
    from p2p.export.targets import exact_version
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
    refusal_to = findings.destination()
    try:
        with sigterm_interrupts():
            code = app(standalone_mode=False)
    except P2PError as problem:
        from p2p.cli import show

        if "--debug" in sys.argv:
            raise
        show.error(problem, as_json="--json" in sys.argv, to=refusal_to)
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
