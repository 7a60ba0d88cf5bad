"""How answers look: rich text for people, one JSON document for programs; all that is no answer goes to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from p2p import findings
from p2p.cli.text import escape
from p2p.errors import EvidenceRefused, P2PError
from p2p.outcome import RunOutcome, not_stored

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

_MARKS = {"done": "[green]✓[/]", "cached": "[cyan]↺[/]", "failed": "[red]✗[/]"}


def answer_json(data: Any) -> None:
    """The one JSON document on stdout."""
    sys.stdout.write(json.dumps(data, indent=2, default=str) + "\n")
    sys.stdout.flush()


def step_line(name: str, state: str, seconds: float, attempts: int = 1, depth: int = 0, *, instead_of: str = "") -> str:
    """One finished step; `instead_of` is the error that its fallback stands in for."""
    more = f"  [yellow]{attempts} attempts[/]" if attempts > 1 else ""
    more += f"  [yellow]fallback, instead of {escape(instead_of)}[/]" if instead_of else ""
    return f"{'  ' * depth}  {_MARKS.get(state, '·')} {escape(name):<24} [dim]{seconds:8.2f} s[/]{more}"


def outcome(result: RunOutcome, settings_hint: str, way_in: str = "") -> None:
    """A run's end: its outputs, where it is, and on failure the step, cell and error as the last lines.

    Args:
        result: the run.
        settings_hint: where to see more of it.
        way_in: the command line that opens its failed step; empty for none.
    """
    for name, value in result.outputs.items():
        out.print(f"  [bold]{escape(name)}[/] = {escape(_short(value))}")
    out.print(f"run [bold]{result.run_id or result.key}[/] {_status(result.status.value)} in {result.seconds:.1f} s")
    if result.executed:
        out.print(f"[dim]notebook {escape(str(result.executed))}[/]")
    out.print(f"[dim]{settings_hint}[/]")
    for text in not_stored(result.steps):
        err.print(f"[yellow]warning:[/] {escape(text)} A run that resumes this one runs the step again.")
    if result.status.value != "FINISHED":
        where = f"step '{result.failed_step}'" if result.failed_step else ""
        cell = f"cell {result.failed_cell}" if result.failed_cell else ""
        place = ", ".join(part for part in (where, cell) if part) or "the run"
        err.print(f"[red]{escape(place)} failed:[/] {escape(result.error)}")
        open_it(way_in)


def open_it(way_in: str) -> None:
    """The line to type that opens a failed step, where there is one."""
    if way_in:
        err.print(f"open it: {escape(way_in)}")


def _status(status: str) -> str:
    return f"[green]{status}[/]" if status == "FINISHED" else f"[red]{status}[/]"


def _short(value: Any) -> str:
    if hasattr(value, "digest"):
        shape = "x".join(map(str, value.shape))
        return f"{value.type.rpartition('.')[2]} {shape} {str(value.digest or 'not stored')[:12]}".replace("  ", " ")
    text = json.dumps(value, default=str)
    return text if len(text) <= 300 else f"{text[:300]}…"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """A table of plain text cells."""
    shown = Table(*columns, title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for row in rows:
        shown.add_row(*(escape(cell) for cell in row))
    out.print(shown)


def error(problem: P2PError, *, as_json: bool, to: Path | None = None) -> None:
    """An error as one paragraph, with its findings below; as a JSON document where that was asked for.

    Args:
        problem: what is told.
        as_json: as a document too.
        to: where a refusal is to go instead, for whoever called this command to show it.
    """
    if to is not None and isinstance(problem, EvidenceRefused) and findings.hand_over(problem, to):
        return
    if as_json:
        answer_json({"error": str(problem), "kind": type(problem).__name__, **_plain(problem.fields)})
    err.print(f"[red]error:[/] {escape(str(problem))}")
    if isinstance(problem, EvidenceRefused):
        for finding in problem.findings:
            err.print(f"  [red]•[/] [bold]{escape(finding.where)}[/] {escape(finding.what)}")
            err.print(f"    [dim]{escape(finding.why)}[/] {escape(finding.cure)}")


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key not in ("error", "kind")}
