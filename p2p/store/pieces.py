"""The bytes of a value in pieces, so that a large one is digested and written from its own memory, without a copy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any


class Pieces:
    """Bytes that lie in several places.

    Args:
        parts: gives them, in order, each time anew: whatever shows its memory as a buffer. Nobody may change that while
            the pieces are in use.
    """

    def __init__(self, parts: Callable[[], Iterable[Any]]) -> None:
        self._parts = parts
        self._length: int | None = None

    def __iter__(self) -> Iterator[memoryview]:
        length = 0
        for part in self._parts():
            piece = memoryview(part).cast("B") if len(part) else memoryview(b"")
            length += len(piece)
            yield piece
        self._length = length

    def __len__(self) -> int:
        if self._length is None:
            self._length = sum(map(len, self))
        return self._length

    def __bytes__(self) -> bytes:
        return b"".join(self)
