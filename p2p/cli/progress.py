"""Live progress of a run: a bar on a terminal, a line per step elsewhere; always on stderr."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from p2p.cli.show import err, step_line
from p2p.cli.text import escape


class Watch:
    """Shows the events of runs; use it as a context and pass it as the watcher."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._bar = Progress(
            TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            console=err, transient=True, disable=quiet or not sys.stderr.isatty(),
        )  # fmt: skip
        self._task = self._bar.add_task("starting", total=None)

    def __enter__(self) -> Watch:
        self._bar.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, event: Mapping[str, Any]) -> None:
        handler = getattr(self, f"_on_{event['kind']}", None)
        if handler is not None and not self._quiet:
            handler(event)

    def tell(self, text: str) -> None:
        """A line about what is being done."""
        if not self._quiet:
            err.print(f"[dim]{escape(text)}[/]")
            self._bar.update(self._task, description=escape(text), total=None, completed=0)

    def _on_mlflow_run(self, event: Mapping[str, Any]) -> None:
        err.print(f"[dim]run {event['run_id']}[/]")

    def _on_kernel_started(self, event: Mapping[str, Any]) -> None:
        if event.get("why_cold"):
            err.print(f"[yellow]no warm kernel:[/] {escape(str(event['why_cold']))}")
        for statement, why in event.get("not_ahead", {}).items():
            err.print(f"[dim]not imported ahead:[/] {escape(statement)}: {escape(why)}")

    def _on_cell_started(self, event: Mapping[str, Any]) -> None:
        self._bar.update(
            self._task, total=event["cells"], completed=max(event["cell"] - 1, 0), description=f"cell {event['cell']}"
        )

    def _on_step_started(self, event: Mapping[str, Any]) -> None:
        self._bar.update(self._task, description=f"step {escape(event['step'])}")

    def _on_step_retried(self, event: Mapping[str, Any]) -> None:
        item = f" item {event['item']}" if "item" in event else ""
        err.print(
            f"  [yellow]↻[/] {escape(event['step'])}{item} attempt {event['attempt']} failed "
            f"({escape(event['error_type'])}: {escape(event['error'][:200])}); again in {event['delay']:.3g} s"
        )
        if event.get("not_reset"):
            err.print(f"    [yellow]{escape(', '.join(event['not_reset']))} cannot be put back to what it was[/]")

    def _on_step_finished(self, event: Mapping[str, Any]) -> None:
        depth = 1 if event["parent"] else 0
        error = f"{event['error_type']}: {event['error'][:200]}" if event.get("fallback") else ""
        err.print(
            step_line(event["step"], event["state"], event["seconds"], event["attempts"], depth, instead_of=error)
        )
