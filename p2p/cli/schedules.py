"""`p2p schedule`: its commands and their options. Everything heavy is imported when a command is at work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from p2p.cli.options import Json

app = typer.Typer(no_args_is_help=True, help="Run notebooks and pipelines at their times.")
Name = Annotated[str, typer.Argument(metavar="NAME", help="The schedule.")]


@app.command()
def add(
    when: Annotated[
        str,
        typer.Argument(metavar="WHEN", help='"0 6 * * 1-5" (cron), "every 15 min", or "at 2026-12-31 06:00".'),
    ],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="A notebook, a pipeline NAME, or NAME@3.")],
    name: Annotated[str, typer.Option("--name", help="What to call it (default: the target's name).")] = "",
    param: Annotated[
        list[str] | None,
        typer.Option("-p", "--param", metavar="NAME=VALUE", help="A parameter; {logical_date} is the tick's date."),
    ] = None,
    tz: Annotated[str, typer.Option("--tz", metavar="ZONE", help="Time zone (default: this machine's).")] = "",
    missed: Annotated[
        str, typer.Option("--missed", help="Ticks that nobody was up for: skip, latest, or all.")
    ] = "latest",
    most: Annotated[int, typer.Option("--most", help="How many missed ticks run, with --missed all.")] = 10,
    window: Annotated[str, typer.Option("--window", help="A tick that is older never runs: 12h, 30d.")] = "365d",
    grace: Annotated[str, typer.Option("--grace", help="A tick that is no later than this is on time.")] = "60s",
    overlap: Annotated[
        str, typer.Option("--overlap", help="A tick while an earlier one is at work: skip, queue, or replace.")
    ] = "skip",
    at_once: Annotated[int, typer.Option("--at-once", help="How many of its ticks may be at work.")] = 1,
    retries: Annotated[int, typer.Option("--retries", help="Further attempts of a tick that failed.")] = 0,
    retry_delay: Annotated[
        str, typer.Option("--retry-delay", help="Before the first of them; doubled each time.")
    ] = "60s",
    timeout: Annotated[str, typer.Option("--timeout", help="How long an attempt may take.")] = "",
    late: Annotated[str, typer.Option("--late", help="Tell when a tick has not begun so long after its time.")] = "",
    alert: Annotated[
        list[str] | None,
        typer.Option("--alert", metavar="URL", help="Whom to tell when it fails: an Apprise URL, or env:NAME."),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of the schedule of that name.")] = False,
    json: Json = False,
) -> None:
    """Add a schedule, whose times count from now."""
    from p2p.cli import scheduling

    asked = scheduling.Asked(
        when=when, target=target, name=name, params=param or (), zone=tz, missed=missed, most=most, window=window,
        grace=grace, overlap=overlap, at_once=at_once, retries=retries, retry_delay=retry_delay, timeout=timeout,
        late=late, alerts=alert or (),
    )  # fmt: skip
    scheduling.add_shown(asked, replace=replace, as_json=json)


@app.command("list")
def list_schedules(json: Json = False) -> None:
    """List the schedules: when each runs next, and how its last tick went."""
    from p2p.cli import scheduling

    scheduling.list_shown(as_json=json)


@app.command()
def show(name: Name, json: Json = False) -> None:
    """Show a schedule: what it runs, its policies, and its next times."""
    from p2p.cli import scheduling

    scheduling.show_one(name, as_json=json)


@app.command()
def history(
    name: Name,
    most: Annotated[int, typer.Option("-n", "--most", min=1, help="How many of the last ticks.")] = 20,
    json: Json = False,
) -> None:
    """Show what became of a schedule's ticks, those that were skipped too, with the reason."""
    from p2p.cli import scheduling

    scheduling.history_shown(name, most, as_json=json)


@app.command()
def pause(name: Name) -> None:
    """Pause a schedule: its ticks do not run until it is resumed, nor afterwards."""
    from p2p.cli import scheduling

    scheduling.pause(name, paused=True)


@app.command()
def resume(name: Name) -> None:
    """Let a paused schedule go on with its next tick."""
    from p2p.cli import scheduling

    scheduling.pause(name, paused=False)


@app.command()
def remove(name: Name) -> None:
    """Remove a schedule. Its history stays."""
    from p2p.cli import scheduling

    scheduling.remove(name)


@app.command()
def run(name: Name, json: Json = False) -> None:
    """Run a schedule now, here, besides its own times."""
    from p2p.cli import scheduling

    raise typer.Exit(scheduling.run_now(name, as_json=json))


@app.command()
def backfill(
    name: Name,
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="The first date or time, in its zone.")],
    until: Annotated[str, typer.Option("--to", metavar="TIME", help="The last; of a date, the whole day.")],
    jobs: Annotated[int, typer.Option("-j", "--jobs", metavar="N", min=1, help="How many run at once.")] = 1,
    json: Json = False,
) -> None:
    """Run a schedule at past times, each that is not done yet. Called again, it goes on where it was ended."""
    from p2p.cli import scheduling

    raise typer.Exit(scheduling.backfill(name, since, until, jobs, as_json=json))


@app.command()
def export(
    name: Name,
    to: Annotated[
        str,
        typer.Option("--to", metavar="SCHEDULER",
                     help="cron, systemd, airflow, kubernetes, github-actions, prefect, or dagster."),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where to write it; of systemd, a folder.")
    ] = None,
    per: Annotated[
        str, typer.Option("--per", help="What a task is, for airflow and dagster: a run, or a step.")
    ] = "",
    image: Annotated[str, typer.Option("--image", help="The container image, for kubernetes.")] = "",
    folder: Annotated[str, typer.Option("--folder", metavar="DIR", help="The project's folder over there.")] = "",
    python: Annotated[str, typer.Option("--python", metavar="FILE", help="The Python over there that has p2p.")] = "",
    cron_tz: Annotated[bool, typer.Option("--cron-tz", help="The cron is cronie, and reads CRON_TZ.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of a file that is there.")] = False,
    json: Json = False,
) -> None:  # fmt: skip
    """Write a schedule for another scheduler, which then runs it: this one no longer needs to."""
    from p2p.cli import scheduling
    from p2p.scheduling.exports import Asked

    asked = Asked(to=to, per=per, folder=folder, python=python, image=image, cron_zone=cron_tz)
    scheduling.export_shown(name, asked, output, replace=replace, as_json=json)


@app.command()
def start(
    at_once: Annotated[int, typer.Option("--at-once", min=1, help="How many ticks of all schedules run at once.")] = 4,
    patience: Annotated[
        str, typer.Option("--patience", help="How long what is at work may take to end, when this is stopped.")
    ] = "30s",
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, help="Of the status page: 0 for a free one (default: 8765, or a free one)."),
    ] = None,
    page: Annotated[bool, typer.Option("--page/--no-page", help="Serve the status page, on 127.0.0.1 alone.")] = True,
    systemd: Annotated[
        bool, typer.Option("--print-systemd-unit", help="Print a unit that does this in this project, and end.")
    ] = False,
) -> None:
    """Run the schedules at their times, until this is stopped (Ctrl-C or SIGTERM; twice to interrupt what runs)."""
    from p2p.cli import scheduling

    starting = scheduling.Starting(at_once=at_once, patience=patience, page=page, port=port)
    if systemd:
        scheduling.print_unit(starting)
    else:
        scheduling.start(starting)


@app.command("test-alert")
def test_alert(name: Name) -> None:
    """Send a test to the addresses of a schedule, and say which of them took it."""
    from p2p.cli import scheduling

    raise typer.Exit(scheduling.test_alert(name))
