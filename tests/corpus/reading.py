"""Reads a notebook of the corpus from its text, and writes it as an .ipynb with the files that lie beside it.

The text is in percent format, with a head that says what p2p must do with the notebook:

    # expect: equal
    # why: a name that only the filter of a comprehension reads is an input all the same
    # %% [parameters]
    low: int = 2
    # %%
    %%step load
    rows = [1, 2, 3]

`expect` is `equal`, `refused before running, cell N: part of the reason` (without the cell where the whole notebook is
refused) or `refused on evidence, step NAME: part of the reason`. `# adopt: yes` in the head says that the notebook is
plain and has to be adopted first. Besides `# %%` for a code cell there are `# %% [parameters]`, `# %% [markdown]` (each
line behind `# `) and `# %% [file NAME]`, the text of a file beside the notebook.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.building import notebook

NOTEBOOKS = Path(__file__).parent / "notebooks"
_CELL = re.compile(r"^# %%(?: \[(?P<kind>\w+)(?: (?P<name>[^\]]+))?\])?$", re.MULTILINE)
_EXPECT = re.compile(
    r"(?P<kind>equal)|refused (?:(?P<before>before running)(?:, cell (?P<cell>\d+))?|on evidence, step (?P<step>\w+))"
    r": (?P<reason>.+)"
)


@dataclass(frozen=True)
class Expectation:
    """What p2p must do with a notebook.

    Attributes:
        kind: `equal`, `refused before running` or `refused on evidence`.
        cell: for the first refusal, the cell that it must name; None where it is about the whole notebook.
        step: for the second, the step whose value is another one, or that fails.
        reason: a part of what the refusal must say.
    """

    kind: str
    cell: int | None = None
    step: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Part:
    """A cell, or a file beside the notebook: `code`, `parameters`, `markdown` or `file`."""

    kind: str
    name: str
    text: str


@dataclass(frozen=True)
class Spec:
    """One notebook of the corpus."""

    name: str
    expectation: Expectation
    why: str
    adopt: bool
    parts: tuple[Part, ...]


def read_spec(path: Path) -> Spec:
    """The notebook that the file describes; ValueError where its head says nothing that can be tested."""
    text = path.read_text(encoding="utf-8")
    marks = list(_CELL.finditer(text))
    head = dict(re.findall(r"^# (\w+): (.+)$", text[: marks[0].start()], re.MULTILINE))
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    parts = tuple(_part(mark, text[mark.end() : end]) for mark, end in zip(marks, ends, strict=True))
    return Spec(path.stem, _expectation(head["expect"], path), head["why"], head.get("adopt") == "yes", parts)


def _expectation(text: str, path: Path) -> Expectation:
    match = _EXPECT.fullmatch(text)
    if match is None:
        raise ValueError(f"{path}: `expect: {text}` is not understood")
    if match["kind"]:
        return Expectation("equal")
    if match["before"]:
        cell = int(match["cell"]) if match["cell"] else None
        return Expectation("refused before running", cell, reason=match["reason"])
    return Expectation("refused on evidence", step=match["step"], reason=match["reason"])


def _part(mark: re.Match[str], text: str) -> Part:
    return Part(mark["kind"] or "code", mark["name"] or "", text.strip("\n"))


def write_spec(spec: Spec, folder: Path) -> Path:
    """The notebook in `folder`, its files beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in spec.parts:
        if part.kind == "file":
            (folder / part.name).parent.mkdir(parents=True, exist_ok=True)
            (folder / part.name).write_text(part.text + "\n", encoding="utf-8")
    path = folder / f"{spec.name}.ipynb"
    document = {**notebook(), "cells": list(_cells(spec))}
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")
    return path


def _cells(spec: Spec) -> Iterator[dict[str, Any]]:
    for index, part in enumerate(p for p in spec.parts if p.kind != "file"):
        tags = {"tags": ["parameters"]} if part.kind == "parameters" else {}
        facts: dict[str, Any] = {"id": f"cell-{index}", "metadata": tags, "source": part.text}
        if part.kind == "markdown":
            yield {**facts, "cell_type": "markdown", "source": re.sub(r"^# ?", "", part.text, flags=re.MULTILINE)}
        else:
            yield {**facts, "cell_type": "code", "execution_count": None, "outputs": []}
