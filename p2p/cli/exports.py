"""`p2p export`, shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from p2p.cli import show
from p2p.cli.text import escape
from p2p.export import Export
from p2p.settings import Settings


def answer(done: Export) -> dict[str, Any]:
    """The answer of `p2p export --json`."""
    return {
        "pipeline": done.manifest.pipeline,
        "version": done.manifest.version,
        "written": done.written,
        "directory": str(done.directory),
        "change": done.manifest.change,
        "changes": done.manifest.changes,
        "values": [asdict(c) for c in done.compared],
        "tests": done.tests,
        "notes": done.manifest.notes,
    }


def show_export(done: Export, settings: Settings) -> None:
    """What was written and what was proven."""
    manifest = done.manifest
    where = done.directory.relative_to(settings.root)
    rows = [[c.step, c.value, c.verdict, (c.digest or "")[:12], c.detail] for c in done.compared]
    show.table(["step", "value", "verdict", "digest", ""], rows)
    equal = sum(c.verdict == "equal" for c in done.compared)
    show.out.print(f"{equal} of {len(done.compared)} values equal, {done.tests.get('summary', '')}")
    if not done.written:
        show.out.print(f"nothing to write: {manifest.pipeline} v{manifest.version} is of this notebook ({where})")
        return
    for note in manifest.notes:
        show.out.print(f"[dim]note: {escape(note)}[/]")
    change = f" ({manifest.change}{': ' + '; '.join(manifest.changes) if manifest.changes else ''})"
    show.out.print(f"[bold green]{manifest.pipeline} v{manifest.version}[/] is in {where}{escape(change)}")
