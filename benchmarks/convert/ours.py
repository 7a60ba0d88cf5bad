"""p2p itself: `p2p adopt --write` and `p2p export`, the commands of a user, on a copy of the notebook."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.commands import Done, run
from benchmarks.convert.digests import DRAWN, OWN, SAID, Digests, bare
from benchmarks.convert.plain import Plain
from benchmarks.convert.sources import NAME, Source

_REPLAY = Path(__file__).with_name("replay.py")
_LOADS = "%load_ext p2p"


@dataclass
class Exported:
    """What became of a notebook.

    Attributes:
        reason: why, in the words of p2p.
        right_reason: of a refusal on evidence: whether the value that it names differs between two plain runs too.
        compared: how many values of steps were held against those that the plain notebook has after the same cells.
        other: those that are others, as step and name.
        seconds: what the commands took.
    """

    outcome: str
    reason: str = ""
    right_reason: bool = False
    compared: int = 0
    other: list[str] = field(default_factory=list)
    seconds: float = 0.0


def export(source: Source, plain: Plain, root: Path, timeout: float) -> Exported:
    """Adopt and export a notebook in an empty directory, run the version and compare."""
    notebook = source.copied(root / "notebooks")
    seconds = 0.0
    for arguments in (("adopt", notebook, "--write"), ("export", notebook)):
        done = _p2p(root, timeout, *arguments, "--json")
        seconds = round(seconds + done.seconds, 1)
        if done.code != 0:
            return _refused(done, plain, seconds)
    version = root / "pipelines" / NAME / "v1"
    replayed = run([sys.executable, _REPLAY, root, NAME], notebook.parent, timeout, {"P2P_ROOT": str(root)})
    if replayed.code != 0:
        return Exported("different", f"the version does not run: {replayed.last_line}", seconds=seconds)
    manifest = json.loads((version / "manifest.json").read_text(encoding="utf-8"))
    told = {
        step["name"]: {name: fact["digest"] for name, fact in step["outputs"].items()} for step in manifest["steps"]
    }
    cells = _cells(json.loads(notebook.read_text(encoding="utf-8")), len(plain.changes))
    return compared(
        [(step["name"], cells.get(step["cell"])) for step in manifest["steps"]],
        {"replayed": json.loads(replayed.out), "manifest": told}, plain, seconds,
    )  # fmt: skip


def compared(
    steps: list[tuple[str, int | None]], found: dict[str, dict[str, Digests]], plain: Plain, seconds: float
) -> Exported:
    """What the values of a version's steps say of it.

    Args:
        steps: their names, and the executed cell that each was; None where that is not known.
        found: by where they were found, and by step, the digests of its values.
        plain: the plain notebook.
        seconds: what the export took.
    """
    other: list[str] = []
    count = 0
    for number, (step, cell) in enumerate(steps):
        later = {name for after, _cell in steps[number + 1 :] for name in found["replayed"].get(after, {})}
        wanted = _wanted(plain, cell, later)
        for where, by_step in found.items():
            pairs = list(_pairs(by_step.get(step, {}), wanted, drawn=where == "manifest"))
            count += len(pairs) if where == "replayed" else 0
            other += [f"{step}/{name} ({where})" for name, one, another in pairs if one != another]
    reason = f"other values: {', '.join(other)}" if other else ""
    return Exported("different" if other else "equal", reason, False, count, other, seconds)


def _pairs(values: Digests, wanted: Digests, *, drawn: bool) -> Iterator[tuple[str, str, str]]:
    """The values that can be compared: those that are alike in both plain runs.

    One of the notebook's own classes counts only if it agrees, since its class has another name in the module; so does
    a figure, unless it was drawn in a kernel (`drawn`) like that of the plain notebook, and what is known by what it
    says, where it is its stored bytes that were digested.
    """
    for name, digest in values.items():
        plain = wanted.get(name)
        if not digest or not plain:
            continue
        uncertain = OWN in plain or (DRAWN in plain and not drawn) or (SAID in plain and drawn)
        if bare(digest) == bare(plain) or not uncertain:
            yield name, bare(digest), bare(plain)


def _wanted(plain: Plain, cell: int | None, later: Collection[str]) -> Digests:
    """What a step's values should be: as they are after its cell; else, if no later step gives them, at the end."""
    after = plain.after(cell) if cell is not None else None
    if after is not None:
        return after
    return {name: digest for name, digest in plain.final.items() if name not in later}


def _cells(adopted: dict[str, Any], plain_cells: int) -> dict[int, int]:
    """By its number among the adopted notebook's code cells, from 1, the place of a cell among the executed ones."""
    code = [cell for cell in adopted["cells"] if cell["cell_type"] == "code"]
    texts = ["".join(cell["source"]).strip() for cell in code]
    numbers = [number for number, text in enumerate(texts, 1) if text]
    if len(numbers) > plain_cells and texts[numbers[0] - 1] == _LOADS:
        numbers = numbers[1:]
    return {number: place for place, number in enumerate(numbers)}


def _refused(done: Done, plain: Plain, seconds: float) -> Exported:
    if done.too_long:
        return Exported("takes too long", done.err, seconds=seconds)
    try:
        answer = json.loads(done.out)
        told = str(answer["error"])
    except (ValueError, KeyError, TypeError):
        answer, told = {}, done.last_line
    named = json.dumps(answer)
    right = done.code == 3 and any(f"'{name}'" in told + named or f'"{name}"' in named for name in plain.unstable)
    return Exported("refused", f"exit {done.code}: {told}", right, seconds=seconds)


def _p2p(root: Path, timeout: float, *arguments: str | Path) -> Done:
    command = [sys.executable, "-m", "p2p", *arguments]
    return run(command, root, timeout, {"P2P_ROOT": str(root)})
