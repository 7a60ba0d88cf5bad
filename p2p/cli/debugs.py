"""`p2p debug`, and `p2p pull` of a debug notebook, shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from p2p.cli import show
from p2p.cli.text import escape
from p2p.debugging import Debugged, take_home
from p2p.settings import Settings
from p2p.tracking.facts import relative


def answer(done: Debugged, settings: Settings) -> dict[str, Any]:
    """The answer of `p2p debug --json`."""
    case = done.case
    return {
        "notebook": relative(done.path, settings.root), "run": case.run.id, "step": case.step.name,
        "state": case.step.state.value, "error": case.step.error, "good": done.good.id if done.good else None,
        "notes": list(done.notes),
    }  # fmt: skip


def show_debug(done: Debugged, settings: Settings) -> None:
    """Where the notebook lies, and what it opens."""
    path = escape(relative(done.path, settings.root))
    for note in done.notes:
        show.err.print(f"[yellow]note:[/] {escape(note)}")
    show.out.print(f"{path}: step {escape(done.case.step.name)} of {escape(done.case.run.name)}")
    show.out.print(f"[dim]Next: mend its cell 'p2p-debug', then p2p pull {path}[/]")


def pull_fix(path: Path, settings: Settings, *, as_json: bool) -> None:
    """Take the fix of a debug notebook home, and say where it went."""
    done = take_home(path, settings)
    notebook = relative(done.notebook, settings.root)
    if as_json:
        show.answer_json({
            "version": done.version or None, "notebook": notebook, "written": bool(done.units),
            "cells": list(done.cells), "pulled": list(done.units), "modules": [], "left": [],
        })  # fmt: skip
    elif done.units:
        cells = f", cells {', '.join(map(str, done.cells))}" if done.cells else ""
        show.out.print(f"{escape(', '.join(done.units))}: brought into {escape(notebook)}{cells}")
        if not done.cells:  # a Python file, which people run themselves
            return
        show.out.print(f"[dim]Next: p2p run {escape(notebook)}, then p2p export {escape(notebook)}[/]")
    else:
        show.out.print(f"nothing to pull: {escape(notebook)} has the step's code as it is here")
