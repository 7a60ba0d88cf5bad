"""How to export."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from p2p.tracking.driver import Watcher

TOLERANCE = 1e-12  # less than two readings of the clock differ by, more than another order of summation does
Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """How to export.

    Attributes:
        name: the pipeline's name; the notebook's when not given.
        tolerance: the part of a floating-point number by which the module's may differ; 0 for not at all.
        tell: called with a line for each stage, for progress.
        watch: called with the events of runs, for progress.
    """

    name: str = ""
    tolerance: float = TOLERANCE
    tell: Tell = lambda _text: None
    watch: Watcher | None = None
