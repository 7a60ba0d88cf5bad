"""The nouns of a sweep: its points, and what became of each. Nothing here runs or reads anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from p2p.model import RunStatus

MOST: Final = 10_000  # points of a sweep


@dataclass(frozen=True)
class Point:
    """One set of parameters, checked.

    Attributes:
        number: from 1.
        given: parameters as plain values.
        text: parameters as the command line gives them; the type converts them.
        shown: all of these as plain data for records; secrets are masked.
        secrets: texts to mask in whatever is written of it.
    """

    number: int
    given: Mapping[str, Any]
    text: Mapping[str, str]
    shown: Mapping[str, Any]
    secrets: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Plan:
    """The points of a sweep, and where they come from.

    Attributes:
        points: in the order in which they are started; with an optimizer, none that is known ahead.
        how: `grid`, `file`, `sample` or `optimize`.
        seed: of what was drawn; None where nothing was.
        repeated: how many points were left out because they were the same as others.
    """

    points: tuple[Point, ...]
    how: str = "grid"
    seed: int | None = None
    repeated: int = 0


@dataclass(frozen=True)
class PointResult:
    """What became of a point.

    Attributes:
        number: the point's.
        parameters: what it was given, as plain data.
        key: of its run; empty where it has not begun.
        run_id: MLflow's id of its run; empty where MLflow does not know it yet.
        status: how its run ended; None where it has not begun.
        seconds: wall time.
        measures: numbers that it gave or logged, by name.
        outputs: its outputs, plain data as itself, anything else as type, shape and digest.
        failed_step: the step that failed.
        error: how its run failed.
        kept: it is the result of the sweep that is gone on with.
    """

    number: int
    parameters: Mapping[str, Any]
    key: str = ""
    run_id: str = ""
    status: RunStatus | None = None
    seconds: float = 0.0
    measures: Mapping[str, float] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    failed_step: str = ""
    error: str = ""
    kept: bool = False

    @property
    def finished(self) -> bool:
        return self.status is RunStatus.FINISHED

    def as_dict(self) -> dict[str, Any]:
        """The point in the answer of `p2p sweep --json`."""
        return {
            "point": self.number, "parameters": dict(self.parameters), "run_id": self.run_id or None,
            "key": self.key or None, "status": self.status.value if self.status else None,
            "seconds": round(self.seconds, 3), "measures": dict(self.measures), "outputs": dict(self.outputs),
            "failed_step": self.failed_step or None, "error": self.error or None, "kept": self.kept,
        }  # fmt: skip


@dataclass(frozen=True)
class SweepOutcome:
    """A sweep that has ended.

    Attributes:
        key: the name of its directory.
        run_id: MLflow's id of the parent run.
        target: what was run.
        status: FINISHED only when every point is.
        points: in the order of their numbers.
        seconds: wall time.
        table: the table as a file.
        best: the number of the best point, where something was optimized.
        error: why it ended before its points had run; empty where they had, or one of them failed.
    """

    key: str
    run_id: str
    target: str
    status: RunStatus
    points: tuple[PointResult, ...]
    seconds: float
    table: Path
    best: int | None = None
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The answer of `p2p sweep --json`."""
        return {
            "run_id": self.run_id or None, "key": self.key, "target": self.target, "status": self.status.value,
            "seconds": round(self.seconds, 3), "best": self.best, "error": self.error or None,
            "table": str(self.table), "points": [point.as_dict() for point in self.points],
        }  # fmt: skip


class SweepInterrupted(KeyboardInterrupt):
    """A sweep was interrupted and its runs are ended; `outcome` says how far it came."""

    def __init__(self, outcome: SweepOutcome) -> None:
        super().__init__()
        self.outcome = outcome


def varying(points: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of the parameters that are not the same at all points, in the order in which they are given."""
    names = dict.fromkeys(name for point in points for name in point)
    return [name for name in names if any(name not in p or p[name] != points[0].get(name) for p in points)]
