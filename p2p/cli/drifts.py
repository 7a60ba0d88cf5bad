"""`p2p diff`, `p2p pull` and `p2p status`, shown."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from p2p.cli import show
from p2p.cli.text import escape
from p2p.drift import Change, GoodRun, Pulled, Standing, StepChange, VersionDiff
from p2p.settings import Settings
from p2p.tracking.facts import relative

_COLOURS = {"+": "green", "-": "red"}


def pull_answer(done: Pulled, settings: Settings) -> dict[str, Any]:
    """The answer of `p2p pull --json`."""
    return {
        "version": done.version.title,
        "notebook": relative(done.notebook.path, settings.root),
        "written": bool(done.cells or done.modules),
        "cells": list(done.cells),
        "pulled": list(done.units),
        "modules": list(done.modules),
        "left": list(done.left),
    }


def show_pull(done: Pulled, settings: Settings) -> None:
    """Which cells have changed, and what was not brought back."""
    path = escape(relative(done.notebook.path, settings.root))
    if done.left:
        files = escape(", ".join(done.left))
        show.out.print(f"[yellow]not brought back[/], as no notebook holds it and an export makes it anew: {files}")
    if done.modules:
        show.out.print(f"{escape(', '.join(done.modules))}: brought into the files they are copies of")
    if done.cells:
        cells = ", ".join(map(str, done.cells))
        show.out.print(f"{escape(', '.join(done.units))}: brought into {path}, cells {cells}")
    elif not done.modules:
        show.out.print(f"nothing to pull: {path} has all that {escape(done.version.title)} has")
        return
    show.out.print(f"[dim]Next: p2p run {path}, then p2p export {path}[/]")


def diff_answer(found: VersionDiff) -> dict[str, Any]:
    """The answer of `p2p diff --json`."""
    return {"same": found.is_same, **asdict(found)}


def show_diff(found: VersionDiff) -> None:
    """Each part that changed, and below it how."""
    for note in found.notes:
        show.err.print(f"[yellow]note:[/] {escape(note)}")
    _changes("parameters", found.parameters)
    _changes("contracts", found.contracts)
    changed = [step for step in found.steps if step.changes != ("same",)]
    _heading("steps", f"{len(changed)} of {len(found.steps)} changed")
    for step in changed:
        _step(step)
    if found.helpers:
        _changes("helpers", found.helpers)
    _values(found)


def _heading(title: str, text: str) -> None:
    show.out.print(f"[bold]{title}[/]: {text}")


def _changes(title: str, changes: Sequence[Change]) -> None:
    _heading(title, f"{len(changes)} changed" if changes else "the same")
    for change in changes:
        sides = f": {change.before or 'none'} → {change.after or 'none'}" if change.before or change.after else ""
        show.out.print(f"  {escape(change.name)} {change.change}{escape(sides)}")
        _lines(change.diff)


def _step(step: StepChange) -> None:
    name = f"{step.renamed_from} → {step.name}" if step.renamed_from else step.name
    show.out.print(f"  {escape(name)}: {', '.join(step.changes)}")
    for detail in step.details:
        show.out.print(f"    [dim]{escape(detail)}[/]")
    _lines(step.diff)


def _lines(diff: str) -> None:
    for line in diff.splitlines():
        colour = _COLOURS.get(line[:1], "dim")
        show.out.print(f"    [{colour}]{escape(line)}[/]")


def _values(found: VersionDiff) -> None:
    if found.values_note:
        _heading("values", f"not compared: {escape(found.values_note)}")
        return
    other = [value for value in found.values if value.verdict != "equal"]
    _heading("values", f"{len(found.values) - len(other)} of {len(found.values)} equal")
    for value in other:
        show.out.print(f"  {escape(value.step)}, {escape(value.value)}: {value.verdict}")


def status_answer(rows: Sequence[Standing]) -> list[dict[str, Any]]:
    """The answer of `p2p status --json`."""
    return [{**asdict(row), "run": _run(row.run)} for row in rows]


def _run(run: GoodRun | None) -> dict[str, Any] | None:
    if run is None:
        return None
    age = round(time.time() - run.at)
    return {"run": run.run, "at": datetime.fromtimestamp(run.at, UTC).isoformat(timespec="seconds"), "age": age}


def show_status(rows: Sequence[Standing]) -> None:
    """A row for each notebook and pipeline, and below, what drifted of it."""
    if not rows:
        show.out.print("no notebooks in notebooks/, and no pipelines")
        return
    shown = [
        [row.kind, row.name, _version(row.newest), _version(row.promoted), _age(row.run), _drifts(row)] for row in rows
    ]
    show.table(["", "name", "newest", "promoted", "last good run", "drift"], shown)
    for row in rows:
        for drift in row.drift:
            show.out.print(f"  {escape(row.name)}: {escape(drift.what)}")


def _version(number: int | None) -> str:
    return f"v{number}" if number is not None else "-"


def _age(run: GoodRun | None) -> str:
    if run is None:
        return "none"
    seconds = max(time.time() - run.at, 0.0)
    size, unit = next(((n, u) for n, u in ((86_400, "d"), (3600, "h"), (60, "m")) if seconds >= n), (1, "s"))
    return f"{seconds // size:.0f} {unit} ago"


def _drifts(row: Standing) -> str:
    return ", ".join(dict.fromkeys(drift.kind for drift in row.drift)) or "none"
