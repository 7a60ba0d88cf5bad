"""Live progress of a run: a bar on a terminal, a line per step elsewhere; always on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from p2p.cli.board import board
from p2p.cli.show import err, step_line
from p2p.cli.text import escape
from p2p.progress import Pace
from p2p.progress import Progress as Far


class Watch:
    """Shows the events of runs; use it as a context and pass it as the watcher.

    Args:
        quiet: show nothing.
        starts: a line when a step starts, too; for a log in which other things stand between its lines.
        pace: when a line says how far a step is, where there is no bar.
    """

    def __init__(self, *, quiet: bool = False, starts: bool = False, pace: Pace | None = None) -> None:
        self._quiet = quiet
        self._starts = starts
        self._pace = pace or Pace()
        self._is_live = not quiet and sys.stderr.isatty()
        self._bar = Progress(
            TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            console=err, transient=True, disable=not self._is_live,
        )  # fmt: skip
        self._task = self._bar.add_task("starting", total=None)
        self._seen = _Seen()

    def __enter__(self) -> Watch:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._bar.stop()
        if not self._quiet:
            self._seen.ended(failed=kind is not None)

    def __call__(self, event: Mapping[str, Any]) -> None:
        handler = getattr(self, f"_on_{event['kind']}", None)
        if handler is not None and not self._quiet:
            handler(event)
            self._seen.take(event)

    def tell(self, text: str) -> None:
        """A line about what is being done."""
        if not self._quiet:
            if not self._seen.shown:  # the cell has it already
                err.print(f"[dim]{escape(text)}[/]")
            self._bar.update(self._task, description=escape(text), total=None, completed=0)
            self._seen.phase(text)

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
        if self._starts and not self._is_live:
            err.print(f"  [dim]› {escape(event['step'])} has started[/]")

    def _on_step_progress(self, event: Mapping[str, Any]) -> None:
        text = escape(f"step {event['step']}: {Far.from_dict(event).line()}")
        self._bar.update(self._task, description=text)
        if not self._is_live and self._pace.due(event["id"]):
            err.print(f"  [dim]… {text}[/]")

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


class _Seen:
    """What a run or an export has come to so far, for the cell that has started it; nothing where none has."""

    def __init__(self) -> None:
        self._board = board()
        self._began = time.monotonic()
        self._cell = self._cells = 0
        self._step = ""
        self._states: dict[str, int] = {}
        self._phases: list[tuple[str, float]] = []

    @property
    def shown(self) -> bool:
        """Whether a cell shows it."""
        return self._board is not None

    def take(self, event: Mapping[str, Any]) -> None:
        """An event of a run."""
        if self._board is None:
            return
        if event["kind"] == "cell_started":
            self._cell, self._cells, self._step = event["cell"], event["cells"], ""
        elif event["kind"] == "step_started":
            self._step = f"step {event['step']}"
        elif event["kind"] == "step_progress":
            self._step = f"step {event['step']}: {Far.from_dict(event).line()}"
        elif event["kind"] == "step_finished":
            self._step = ""
            self._states[event["state"]] = self._states.get(event["state"], 0) + 1
        self._show()

    def phase(self, text: str) -> None:
        """Something else is being done from now on."""
        self._cell, self._cells, self._step = 0, 0, ""
        self._phases.append((text, time.monotonic()))
        self._show()

    def ended(self, *, failed: bool) -> None:
        """It is over: told with what it took."""
        if self._board is not None:
            how = "stopped" if failed else "ended"
            head = f"{how} after {time.monotonic() - self._began:.1f} s{self._counted()}"
            self._board.show(head, done=1, total=1, lines=self._lines(), last=True)

    def _show(self) -> None:
        if self._board is not None:
            cell = f"cell {self._cell} of {self._cells}" if self._cell else ""
            doing = self._phases[-1][0] if self._phases else ""
            head = " · ".join(part for part in (doing, cell, self._step) if part) or "starting"
            self._board.show(head, done=max(self._cell - 1, 0), total=self._cells, lines=self._lines()[:-1])

    def _counted(self) -> str:
        told = ", ".join(f"{count} {state}" for state, count in self._states.items())
        return f"; steps: {told}" if told else ""

    def _lines(self) -> list[str]:
        ends = [*(at for _, at in self._phases[1:]), time.monotonic()]
        return [f"{text}: {end - at:.1f} s" for (text, at), end in zip(self._phases, ends, strict=False)]
