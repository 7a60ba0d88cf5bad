"""What was found out, in rows: two figures, how they compare, whether the bar is met. Knows nothing of measuring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Unit:
    """How figures are shown.

    Attributes:
        name: of the unit.
        scale: a figure in seconds, bytes or bytes a second, times this, is in the unit.
        more_is_better: as with bytes a second.
    """

    name: str
    scale: float = 1.0
    more_is_better: bool = False


SECONDS = Unit("s")
MS = Unit("ms", 1e3)
MS_PER_STEP = Unit("ms a step", 1e3)
MS_PER_TASK = Unit("ms a task", 1e3)
SECONDS_PER_RUN = Unit("s a run")
GB_PER_SECOND = Unit("GB/s", 1e-9, more_is_better=True)
MB = Unit("MB", 1e-6)
PERCENT = Unit("%", 100)
FILES = Unit("files")


@dataclass(frozen=True)
class Bar:
    """What is to be reached.

    Attributes:
        judges: what it is about: how many times better p2p is (`better`), how many times the peer's figure p2p's is
            (`cost`), or p2p's own figure (`most`, `least`).
        limit: of that figure; p2p's own is in the row's unit.
    """

    judges: Literal["better", "cost", "most", "least"]
    limit: float

    def text(self, unit: Unit) -> str:
        own = f"{self.limit:g} {unit.name}"
        return {
            "better": f"{self.limit:g}x better", "cost": f"at most {self.limit:g}x",
            "most": f"under {own}", "least": f"at least {own}",
        }[self.judges]  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """One side's figure; where there is none, why.

    Attributes:
        value: in seconds, bytes, bytes a second or parts of one.
        cpu: the same by processor time instead of the clock, where that was looked at.
    """

    value: float | None = None
    cpu: float | None = None
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One comparison.

    Attributes:
        work: what was done.
        peer: who did it too; empty for nobody.
    """

    work: str
    unit: Unit
    ours: Figure
    peer: str = ""
    theirs: Figure = Figure()
    bar: Bar | None = None

    @property
    def better(self) -> float | None:
        """How many times better p2p is than the peer; less than 1 where it is worse."""
        return _times(self.ours.value, self.theirs.value, more_is_better=self.unit.more_is_better)

    @property
    def cpu_better(self) -> float | None:
        """The same for processor time."""
        return _times(self.ours.cpu, self.theirs.cpu, more_is_better=self.unit.more_is_better)

    @property
    def met(self) -> bool | None:
        """Whether p2p reaches the bar; None where there is no bar, or a figure is missing."""
        if self.bar is None or (judged := self._judged(self.bar)) is None:
            return None
        return judged >= self.bar.limit if self.bar.judges in ("better", "least") else judged <= self.bar.limit

    def _judged(self, bar: Bar) -> float | None:
        if bar.judges in ("most", "least"):
            return None if self.ours.value is None else self.ours.value * self.unit.scale
        if self.better is None or bar.judges == "better":
            return self.better
        return self.better if self.unit.more_is_better else 1 / self.better


def _times(ours: float | None, theirs: float | None, *, more_is_better: bool) -> float | None:
    if ours is None or theirs is None or ours <= 0 or theirs <= 0:
        return None
    return ours / theirs if more_is_better else theirs / ours


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown."""
    head = ["work", "p2p", "peer", "peer's", "ratio", "by CPU time", "bar", "met"]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(map(_cell, cells(row)))} |" for row in rows)])


def cells(row: Row) -> list[str]:
    """What a row says, column by column."""
    bar = row.bar.text(row.unit) if row.bar else ""
    cost = row.bar is not None and row.bar.judges == "cost"
    return [
        row.work, shown(row.ours, row.unit), row.peer, shown(row.theirs, row.unit) if row.peer else "",
        compared(row.better, cost=cost), compared(row.cpu_better, cost=cost), bar, verdict(row),
    ]  # fmt: skip


def shown(figure: Figure, unit: Unit) -> str:
    """A figure with its unit, and by processor time behind it; why there is none."""
    if figure.value is None:
        return figure.why
    cpu = f" (CPU {_number(figure.cpu * unit.scale)})" if figure.cpu is not None else ""
    return f"{_number(figure.value * unit.scale)} {unit.name}{cpu}"


def compared(better: float | None, *, cost: bool) -> str:
    if better is None:
        return ""
    if cost:
        return f"{_number(1 / better)}x its"
    return f"{_number(better)}x better" if better >= 1 else f"{_number(1 / better)}x worse"


def verdict(row: Row) -> str:
    """Whether the bar is met, in a word."""
    if row.bar is None:
        return ""
    return {None: "not measured", True: "yes", False: "**missed**"}[row.met]


def _number(value: float) -> str:
    """Three digits that count, without an exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")[:300]
