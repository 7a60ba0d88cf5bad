"""What every line is given: how often to measure, and the peers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed.measuring import Measured, Missing, Side, in_turn, worker
from benchmarks.speed.peers import SILENT, Peers
from benchmarks.speed.rows import Row


@dataclass(frozen=True)
class Bench:
    """How lines measure."""

    rounds: int
    peers: Peers

    def measured(self, sides: Mapping[str, Side | Missing], *, rounds: int | None = None) -> dict[str, Measured]:
        """The sides in turn, as often as there are rounds."""
        return in_turn(sides, rounds or self.rounds)

    def peer(self, name: str, module: str, *arguments: object) -> Side | Missing:
        """A module of `work` in the interpreter that has a peer."""
        try:
            python: Path = self.peers.python(name)
        except OSError as error:
            return Missing(str(error))
        return Side(worker(module, *arguments, python=python), environment=SILENT)


Line = Callable[[Bench], Iterable[Row]]
