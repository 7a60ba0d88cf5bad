"""Figures drawn in a step: saved beside the run, so that they are found wherever the step ran."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any


def open_figures() -> set[int]:
    """The numbers of matplotlib's open figures; empty when it is not loaded."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    return set(pyplot.get_fignums()) if pyplot else set()


def save_new(before: set[int], directory: Path, step: str, *, keep_open: bool) -> list[Path]:
    """Save the figures opened since `before` as PNG files named `<step>-<n>.png`; returns their paths.

    Figures are closed afterwards unless `keep_open`, so that a pipeline neither leaks nor shows them.
    """
    new = sorted(open_figures() - before)
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    paths = []
    for count, number in enumerate(new, 1):
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"{step}-{count}.png"
        pyplot.figure(number).savefig(path, bbox_inches="tight", metadata={"Software": None})
        paths.append(path)
        if not keep_open:
            pyplot.close(number)
    return paths
