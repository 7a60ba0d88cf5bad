"""The run that another one resumes: what its steps gave, and what its other cells left behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from p2p.cache.entries import Kept
from p2p.model import ValueRef
from p2p.tracking import read_events


@dataclass(frozen=True)
class CellState:
    """What an unmarked cell left behind.

    Attributes:
        source: digest of its code.
        values: the names that it gave values to or changed, where later cells read them.
        random: the states of the global random generators after it; None where it did not draw from them.
    """

    source: str
    values: Mapping[str, ValueRef] = field(default_factory=dict)
    random: ValueRef | None = None


class Earlier:
    """An earlier run, told by its journal.

    Args:
        directory: the run's directory.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.key = directory.name
        self.random: ValueRef | None = None
        self._steps: dict[str, Kept] = {}
        self._cells: dict[str, CellState] = {}
        for event in read_events(directory):
            self._take(event)

    def step(self, name: str) -> Kept | None:
        """What the step gave, if it ended well and its result was kept."""
        return self._steps.get(name)

    def cell(self, cell_id: str) -> CellState | None:
        """What an unmarked cell left behind, if it came to its end."""
        return self._cells.get(cell_id)

    def _take(self, event: Mapping[str, Any]) -> None:
        kind = event["kind"]
        if kind == "step_finished" and not event.get("parent"):
            self._steps.pop(event["step"], None)
            if event["state"] != "failed" and event.get("kept"):
                self._steps[event["step"]] = Kept.from_dict(event["kept"])
        elif kind == "cell_left":
            values = {name: ValueRef.from_dict(ref) for name, ref in event["values"].items()}
            random = ValueRef.from_dict(event["random"]) if event.get("random") else None
            self._cells[event["cell_id"]] = CellState(event["source"], values, random)
        elif kind == "random_began" and self.random is None:
            self.random = ValueRef.from_dict(event["random"])


def deeds(directory: Path, step_id: str) -> Iterator[dict[str, Any]]:
    """What a step, or one inside it, did besides giving values: what it logged, the files that it left as artifacts."""
    inside = {step_id}
    for event in read_events(directory):
        if event["kind"] == "step_started" and event.get("parent_id") in inside:
            inside.add(event["id"])
        elif event["kind"] in ("logged", "artifact") and event.get("step_id") in inside:
            yield event
