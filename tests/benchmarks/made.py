"""Notebooks made here, and what plain runs of them would have left."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.convert.digests import Digests
from benchmarks.convert.plain import Plain

SORTED = ["xs = [3, 1, 2]\nname = 'a'", "xs.sort()", "total = sum(xs)"]
"""A notebook that changes a list in place: deterministic."""

DRAWN = ["import random", "drawn = random.random()", "count = 1"]
"""A notebook that draws a number without a seed."""


def notebook(path: Path, cells: Sequence[str]) -> Path:
    """A notebook file with these code cells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = [
        {"cell_type": "code", "id": f"c{n}", "execution_count": None, "metadata": {}, "outputs": [], "source": text}
        for n, text in enumerate(cells)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    language = {"name": "python", "nbconvert_exporter": "python", "file_extension": ".py"}
    document = {"cells": made, "metadata": {"kernelspec": kernel, "language_info": language}, "nbformat": 4}
    path.write_text(json.dumps({**document, "nbformat_minor": 5}), encoding="utf-8")
    return path


def plain(*cells: Digests, error: str = "") -> Plain:
    """Two runs of a notebook that agreed about these changes of its cells."""
    final: Digests = {}
    for change in cells:
        final.update(change)
    return Plain(error=error, final=final, changes=list(cells))
