"""The notebook as it is, run twice in a kernel without p2p: does it run, and which values are the same both times?"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.commands import Done, run
from benchmarks.convert.digests import DRAWN, OWN, Digests, last_words, left
from benchmarks.convert.sources import Source

UNSTABLE = ""  # in place of the digest of a value that another run does not have

_STARTUP = """\
import benchmarks.convert.digests as _p2p_digests
_p2p_digests.watch(get_ipython())
del _p2p_digests
"""


@dataclass
class Plain:
    """What two runs of a notebook have in common.

    Attributes:
        error: why it does not run; empty when it does.
        seconds: what the first run took, with the digests.
        final: digests of the values at its end; `UNSTABLE` where the second run has another.
        changes: for each executed cell, the digests that were not there before; None where they were not taken.
    """

    error: str = ""
    seconds: float = 0.0
    final: Digests = field(default_factory=dict)
    changes: list[Digests | None] = field(default_factory=list)

    @property
    def unstable(self) -> list[str]:
        """Names that have a value, at the end or after some cell, that two runs do not agree about."""
        names = {name for cell in [self.final, *self.changes] if cell for name, d in cell.items() if d == UNSTABLE}
        return sorted(names)

    @property
    def comparable(self) -> Digests:
        """The values that a faithful copy ends with: alike in both runs, of importable types, not drawn."""
        return {name: d for name, d in self.final.items() if d and not d.endswith((OWN, DRAWN))}

    def after(self, cell: int) -> Digests | None:
        """The digests after an executed cell, from 0; None when they were not taken."""
        state: Digests = {}
        for change in self.changes[: cell + 1]:
            if change is None:
                return None
            state.update(change)
        return state if cell < len(self.changes) else None


def plain(source: Source, root: Path, timeout: float) -> Plain:
    """Run a notebook twice; `root` is an empty directory."""
    runs = []
    for number in (1, 2):
        done, path = _run(source, root / f"plain-{number}", timeout)
        if done.code != 0 or not path.exists():
            return Plain(error=done.last_line, seconds=done.seconds)
        runs.append((done.seconds, *left(path)))
    (seconds, first, first_cells), (_seconds, second, second_cells) = runs
    cells = [
        None if one is None or other is None else _settled(one, other)
        for one, other in zip(first_cells, second_cells, strict=False)
    ]
    return Plain("", seconds, _settled(first, second), list(_changes(cells)))


def _run(source: Source, folder: Path, timeout: float) -> tuple[Done, Path]:
    path = source.copied(folder / "notebooks")
    digests = folder / "digests.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    if document["nbformat"] != 4:
        raise ValueError(f"it is in notebook format {document['nbformat']}, which Jupyter would rewrite first")
    last: dict[str, Any] = {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": last_words(digests),
    }
    if (document["nbformat"], document["nbformat_minor"]) >= (4, 5):
        last["id"] = "digests"
    path.write_text(json.dumps({**document, "cells": [*document["cells"], last]}), encoding="utf-8")
    startup = folder / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00-watch.py").write_text(_STARTUP, encoding="utf-8")
    command: list[str | Path] = [
        sys.executable, "-m", "jupyter", "nbconvert", "--to", "notebook", "--execute", "--inplace",
        "--ExecutePreprocessor.kernel_name=python3", path,
    ]  # fmt: skip
    return run(command, path.parent, timeout, {"IPYTHONDIR": str(folder / "ipython")}), digests


def _settled(first: Digests, second: Digests) -> Digests:
    return {
        name: first[name] if name in first and name in second and first[name] == second[name] else UNSTABLE
        for name in {**first, **second}
    }


def _changes(states: list[Digests | None]) -> Iterator[Digests | None]:
    """For each state what is new in it: the file of results stays small."""
    before: Digests = {}
    for state in states:
        if state is None:
            yield None
            continue
        yield {name: d for name, d in state.items() if name not in before or before[name] != d}
        before = state
