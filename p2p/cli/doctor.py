"""`p2p doctor`: ends runs whose process died, sends what could not be sent, and says what is still open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from p2p.cli import show
from p2p.cli.text import escape
from p2p.settings import Settings
from p2p.tracking import mlstore
from p2p.tracking.beside import Beside
from p2p.tracking.driver import warn
from p2p.tracking.reaper import Swept, reap, sweep


def examine(settings: Settings, gone_hosts: Sequence[str], *, as_json: bool) -> int:
    """Mend what can be mended and tell of it; gives the exit code, 1 while something is left to be sent."""
    mlstore.check_settings(settings)
    found = sweep(settings, gone_hosts=gone_hosts, tell=lambda text: show.err.print(f"[dim]{text}[/]"))
    if as_json:
        show.answer_json({name: dict(v) if name in ("unsent", "elsewhere") else list(v)
                          for name, v in asdict(found).items()})  # fmt: skip
    else:
        _show(found)
    return 1 if found.unsent else 0


def _show(found: Swept) -> None:
    lines = [
        *(f"[yellow]killed[/]   {key}: its process had died" for key in found.killed),
        *(f"[green]sent[/]     {key}" for key in found.sent),
        *(f"[red]unsent[/]   {key}: {escape(why)}" for key, why in found.unsent),
        *(f"[cyan]running[/]  {key}" for key in found.running),
        *(f"[yellow]unknown[/]  {key}: {escape(owner)} cannot be judged from here; when that machine is gone for "
          "good, say so: p2p doctor --gone HOST" for key, owner in found.elsewhere),
    ]  # fmt: skip
    for line in lines or ["[green]all runs are ended, and MLflow knows them[/]"]:
        show.out.print(line)


def look_for_the_dead(settings: Settings) -> None:
    """End runs whose process died, before a command does its own work; MLflow is told in the background."""
    if settings.open_runs.is_dir() and reap(settings):
        Beside(settings, warn).close()
