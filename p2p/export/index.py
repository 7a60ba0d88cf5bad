"""Which piece gives a name its meaning, which read it, and what is in a cell: found without a walk over all pieces."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import accumulate

from p2p.export.pieces import CellPiece, FreePiece, Piece, Pieces


class Index:
    """The pieces of a notebook by the names that they give and read, and by cell."""

    def __init__(self, pieces: Pieces) -> None:
        self._all = pieces.all
        self._writers: dict[str, list[int]] = {}
        self._readers: dict[str, list[int]] = {}
        self._cells: dict[int, list[FreePiece]] = {}
        for piece in pieces.all:
            for name in dict.fromkeys(_given(piece)):
                self._writers.setdefault(name, []).append(piece.order)
            for name in dict.fromkeys(piece.reads):
                self._readers.setdefault(name, []).append(piece.order)
            if isinstance(piece, FreePiece):
                self._cells.setdefault(piece.cell.number, []).append(piece)
        self._steps = list(accumulate((not isinstance(p, FreePiece) for p in pieces.all), initial=0))

    def writer(self, name: str, before: int) -> Piece | None:
        """The piece above `before` that last gave the name its meaning."""
        orders = self._writers.get(name, [])
        place = bisect_left(orders, before)
        return self._all[orders[place - 1]] if place else None

    def writers(self, name: str) -> Iterator[Piece]:
        """All pieces that give the name a meaning."""
        return (self._all[order] for order in self._writers.get(name, []))

    def readers(self, name: str, after: int) -> Iterator[Piece]:
        """The pieces that read the name as the piece at `after` gave it."""
        orders, written = self._readers.get(name, []), self._writers.get(name, [])
        place = bisect_right(written, after)
        last = written[place] if place < len(written) else len(self._all)
        return (self._all[order] for order in orders[bisect_right(orders, after) : bisect_right(orders, last)])

    def in_cell(self, piece: Piece) -> list[FreePiece]:
        """The free pieces of the same cell."""
        return self._cells.get(piece.cell.number, [])

    def steps_above(self, piece: Piece) -> int:
        """How many steps stand above the piece."""
        return self._steps[piece.order]


def _given(piece: Piece) -> Iterator[str]:
    """The names that stand for something else after a piece; for a marked cell, whether or not they are its outputs."""
    if isinstance(piece, FreePiece):
        yield from piece.gives
        return
    yield from piece.writes
    if isinstance(piece, CellPiece):
        yield from (name for name, kind in piece.names.kinds.items() if kind in ("value", "loop"))
