"""What a test is about, built in it: notebooks, cell by cell, and a place for its own pipelines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

from p2p.notebook import Notebook, read_notebook


def notebook(*cells: str, params: str = "") -> dict[str, Any]:
    """A notebook of these code cells, indented as the test is; a cell that begins with `## ` is a heading.

    `params` becomes the first cell, tagged `parameters`.
    """
    made = [_cell(0, params, ["parameters"])] if params else []
    made += [_cell(len(made) + i, source, []) for i, source in enumerate(cells)]
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "cells": made,
    }


def _cell(index: int, source: str, tags: list[str]) -> dict[str, Any]:
    text = dedent(source).strip("\n")
    facts: dict[str, Any] = {"id": f"cell-{index}", "metadata": {"tags": tags} if tags else {}, "source": text}
    if text.startswith("## "):
        return {"cell_type": "markdown", **facts}
    return {"cell_type": "code", "execution_count": None, "outputs": [], **facts}


def write_notebook(path: Path, *cells: str, params: str = "") -> Path:
    """The notebook of these cells, on disk; gives `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook(*cells, params=params), indent=1), encoding="utf-8")
    return path


def read_built(folder: Path, *cells: str, params: str = "") -> Notebook:
    """The notebook of these cells as p2p reads it; it lies in `folder`."""
    return read_notebook(write_notebook(folder / "sales.ipynb", *cells, params=params))


@contextmanager
def pipelines_apart() -> Iterator[None]:
    """In the block, `pipelines` is a package that this process has not imported; afterwards it is what it was."""
    before = list(sys.path)
    kept = {name: sys.modules.pop(name) for name in _pipelines()}
    try:
        yield
    finally:
        sys.path[:] = before
        for name in _pipelines():
            del sys.modules[name]
        sys.modules.update(kept)


def _pipelines() -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0] == "pipelines"]
