"""The run that another one resumes: what its steps gave, and what its other cells left behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from p2p.cache.entries import Kept
from p2p.model import ValueRef
from p2p.tracking import read_events
from p2p.tracking.journal import NAME, Tail


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


class Deeds:
    """What the steps of a run did besides giving values: what they logged, the files that they left as artifacts.

    The run may be at work still: its journal is read on when a step is asked for that had not ended so far.

    Args:
        directory: the run's directory.
    """

    def __init__(self, directory: Path) -> None:
        self._tail = Tail(directory / NAME)
        self._parents: dict[str, str] = {}
        self._of: dict[str, list[dict[str, Any]]] = {}
        self._ended: set[str] = set()
        self._over = False

    def of(self, step_id: str) -> Sequence[dict[str, Any]]:
        """The events of what a step did, or one inside it."""
        if step_id not in self._ended and not self._over:
            for event in self._tail.read():
                self._take(event)
        return self._of.get(step_id, ())

    def _take(self, event: dict[str, Any]) -> None:
        kind = event["kind"]
        self._over = self._over or kind == "run_finished"
        if self._over:
            return  # what comes after the end does not count
        if kind == "step_started":
            self._parents[event["id"]] = event.get("parent_id") or ""
        elif kind == "step_finished":
            self._ended.add(event["id"])
        elif kind in ("logged", "artifact"):
            step_id = event.get("step_id")
            while step_id:
                self._of.setdefault(step_id, []).append(event)
                step_id = self._parents.get(step_id)
