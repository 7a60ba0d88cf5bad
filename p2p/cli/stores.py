"""`p2p store`: its commands and their options."""

from __future__ import annotations

from typing import Annotated

import typer

from p2p.cli.options import Json

app = typer.Typer(no_args_is_help=True, help="List, measure, check and prune the stored values.")


@app.command("list")
def list_values(
    every: Annotated[bool, typer.Option("--all", help="Show all, not only the 50 that were used last.")] = False,
    json: Json = False,
) -> None:
    """List the stored values, the last used first, and how many runs refer to each."""
    from p2p.cli import storing
    from p2p.settings import load_settings

    storing.show_values(load_settings(), every=every, as_json=json)


@app.command()
def size(json: Json = False) -> None:
    """Measure what the project keeps: values by codec, cache, runs, artifacts."""
    from p2p.cli import storing
    from p2p.settings import load_settings

    storing.show_sizes(load_settings(), as_json=json)


@app.command()
def check(
    repair: Annotated[
        bool, typer.Option("--repair", help="Move damaged values aside, so that they are made anew.")
    ] = False,
    json: Json = False,
) -> None:
    """Read every stored value and verify its digest."""
    from p2p.cli import storing
    from p2p.settings import load_settings

    raise typer.Exit(1 if storing.check_values(load_settings(), repair=repair, as_json=json) else 0)


@app.command()
def prune(
    keep: Annotated[
        int, typer.Option("--keep", metavar="N", min=0, help="Keep the values of the newest N runs of each name.")
    ] = 10,
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="AGE", help="Remove only what was not used for so long: 30d, 12h.")
    ] = "",
    limit: Annotated[
        str, typer.Option("--limit", metavar="SIZE", help="Remove only as much as brings the values to SIZE: 5GB.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    json: Json = False,
) -> None:
    """Remove values that only old runs refer to."""
    from p2p.cli import storing
    from p2p.quantities import bytes_in, seconds_in
    from p2p.settings import load_settings
    from p2p.upkeep import Keep

    wanted = Keep(
        runs=keep, unused_for=seconds_in(older_than, "--older-than") if older_than else 0.0,
        limit=bytes_in(limit, "--limit") if limit else None,
    )  # fmt: skip
    storing.prune_values(load_settings(), wanted, dry=dry_run, as_json=json)
