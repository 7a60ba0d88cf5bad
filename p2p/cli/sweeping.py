"""A sweep on the screen: a live table on a terminal, a line for each point elsewhere, the whole table at the end."""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final

from rich.live import Live
from rich.table import Column, Table

from p2p.cli import show
from p2p.cli.board import Board, board
from p2p.cli.text import escape
from p2p.model import RunStatus
from p2p.progress import duration
from p2p.sweep import Point, PointResult, SweepOutcome
from p2p.sweep.points import varying
from p2p.sweep.table import measure_names

_LAST: Final = 12  # points that have ended, in the live table
_ROWS: Final = 60  # rows of the table at the end; all are in the file
_PARAMETERS: Final = 6
_MEASURES: Final = 6
_MARKS: Final = {RunStatus.FINISHED: "[green]✓[/]", RunStatus.FAILED: "[red]✗[/]", RunStatus.KILLED: "[yellow]■[/]"}


class Standing:
    """How far a sweep is, and about how long the rest takes.

    Args:
        clock: seconds that never jump.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._kept = 0
        self.total = self.finished = self.failed = 0

    def begin(self, total: int, kept: int) -> None:
        """It has begun; `kept` of `total` points are finished already."""
        self.total, self.finished, self._kept = total, kept, kept
        self._began = self._clock()

    def end(self, *, finished: bool) -> None:
        """A point has ended."""
        self.finished += finished
        self.failed += not finished

    def left(self) -> float | None:
        """Seconds that the rest takes at the pace so far; None while no point has ended, and when all have."""
        ended = self.finished - self._kept + self.failed
        waiting = self.total - self.finished - self.failed
        return (self._clock() - self._began) / ended * waiting if ended and waiting else None

    def text(self) -> str:
        """One line: `3 of 10 points done, 1 failed, about 40 s left`."""
        left = self.left()
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{self.finished} of {self.total} points done{failed}" + (
            f", about {duration(left)} left" if left is not None else ""
        )


class LiveTable:
    """Shows how a sweep goes, on stderr, or in the notebook's cell that has started it.

    Use it as a context and pass it as the watch.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._is_live = not quiet and sys.stderr.isatty()
        found = board()
        self._board = None if quiet else found
        self._so_far = Standing()
        self._running: dict[int, tuple[Point, float]] = {}
        self._last: deque[PointResult] = deque(maxlen=_LAST)
        self._live = Live(console=show.err, transient=True, refresh_per_second=4, get_renderable=self._table)

    def __enter__(self) -> LiveTable:
        if self._is_live:
            self._live.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._live.stop()
        if self._board is not None and self._so_far.total:
            self._tell(self._board, last=True)

    def began(self, total: int, kept: int) -> None:
        self._so_far.begin(total, kept)
        if kept and not self._quiet:
            show.err.print(f"[dim]{kept} of {total} points are done already[/]")

    def started(self, point: Point) -> None:
        self._running[point.number] = (point, time.monotonic())
        if self._board is not None:
            self._tell(self._board)

    def ended(self, result: PointResult) -> None:
        self._running.pop(result.number, None)
        self._last.append(result)
        self._so_far.end(finished=result.finished)
        if self._board is not None:
            self._tell(self._board)
        elif not self._quiet and not self._is_live:
            show.err.print(f"{self._line(result)}  [dim]({self._so_far.text()})[/]")

    def _tell(self, at: Board, *, last: bool = False) -> None:
        """How it stands, with the points that ended last and those that run."""
        so_far = self._so_far
        running = f" · {len(self._running)} running" if self._running and not last else ""
        lines = [_plain_line(result) for result in self._last]
        ended = so_far.finished + so_far.failed
        at.show(so_far.text() + running, done=ended, total=so_far.total, lines=lines, last=last)

    def _line(self, result: PointResult) -> str:
        facts = [*_pairs(result.parameters), *_pairs(dict(list(result.measures.items())[:_MEASURES]))]
        error = f"  [red]{escape(result.error[:200])}[/]" if result.error else ""
        mark = _MARKS.get(result.status or RunStatus.KILLED, "·")
        lead = f"  {mark} point {result.number} of {self._so_far.total} [dim]{result.seconds:8.2f} s[/]"
        return f"{lead}  {escape('  '.join(facts))}{error}"

    def _table(self) -> Table:
        now = time.monotonic()
        begun = [PointResult(p.number, p.shown, seconds=now - at) for p, at in list(self._running.values())]
        points = [*self._last, *begun]
        return table_of(points, waiting="running", title=self._so_far.text())


def _plain_line(result: PointResult) -> str:
    status = (result.status or RunStatus.KILLED).value.lower()
    facts = [*_pairs(result.parameters), *_pairs(dict(list(result.measures.items())[:_MEASURES]))]
    error = f"  {result.error[:200]}" if result.error else ""
    return f"point {result.number} {status} {result.seconds:.1f} s  {'  '.join(facts)}{error}"


def table_of(points: Sequence[PointResult], *, waiting: str, title: str = "") -> Table:
    """Points with what differs between them, how they ended, and their numbers."""
    names = varying([point.parameters for point in points])[:_PARAMETERS]
    measures = measure_names(points)[:_MEASURES]
    shown = Table(
        "point", *map(escape, names), Column("state", no_wrap=True), "seconds", *map(escape, measures),
        title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold",
    )  # fmt: skip
    for point in points:
        state = (_MARKS[point.status] + " " + point.status.value.lower()) if point.status else f"[dim]{waiting}[/]"
        state += " [dim](kept)[/]" if point.kept else ""
        cells = [escape(_short(point.parameters.get(name, ""))) for name in names]
        numbers = [f"{point.measures[name]:.6g}" if name in point.measures else "" for name in measures]
        shown.add_row(str(point.number), *cells, state, f"{point.seconds:.2f}" if point.seconds else "", *numbers)
    return shown


def show_sweep(done: SweepOutcome, target: str, way_in: str = "") -> None:
    """The table, where it is, `way_in` to the first point that failed, and how to go on with what is left."""
    rows = _most_telling(done.points)
    show.out.print(table_of(rows, waiting="not started"))
    if len(rows) < len(done.points):
        show.out.print(f"[dim]{len(done.points) - len(rows)} more points in the file below[/]")
    finished = sum(point.finished for point in done.points)
    colour = "green" if done.status is RunStatus.FINISHED else "red"
    name = done.run_id or done.key
    show.out.print(
        f"sweep [bold]{name}[/] [{colour}]{done.status.value}[/] in {done.seconds:.1f} s: "
        f"{finished} of {len(done.points)} points"
    )
    if done.best is not None:
        show.out.print(f"best: point {done.best}")
    show.out.print(f"[dim]table {escape(str(done.table))}; see it with `p2p ui`[/]")
    _show_failure(done)
    show.open_it(way_in)
    if done.status is not RunStatus.FINISHED:
        show.err.print(f"go on with it: p2p sweep {escape(target)} --resume {name}")


def _show_failure(done: SweepOutcome) -> None:
    if done.error:
        why = "interrupted" if done.status is RunStatus.KILLED else done.error
        show.err.print(f"[red]stopped:[/] {escape(why)}")
    failed = next((point for point in done.points if point.status is RunStatus.FAILED), None)
    if failed is not None:
        where = f", step '{failed.failed_step}'," if failed.failed_step else ""
        show.err.print(f"[red]point {failed.number}{escape(where)} failed:[/] {escape(failed.error)}")


def _most_telling(points: Sequence[PointResult]) -> list[PointResult]:
    """As many points as the screen should have: those that did not finish first, in their order."""
    if len(points) <= _ROWS:
        return list(points)
    chosen = sorted(points, key=lambda point: (point.finished, point.number))[:_ROWS]
    return sorted(chosen, key=lambda point: point.number)


def _pairs(values: Mapping[str, Any]) -> list[str]:
    return [f"{name}={_short(value)}" for name, value in values.items()]


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 40 else f"{text[:39]}…"
