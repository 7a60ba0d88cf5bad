"""The bytes of a value in pieces, so that a large one is digested and written from its own memory, without a copy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


class Pieces:
    """Bytes that lie in several places.

    Args:
        parts: whatever shows its memory as a buffer; nobody may change that while the pieces are in use.
    """

    def __init__(self, parts: Sequence[Any]) -> None:
        self._parts = [memoryview(part).cast("B") for part in parts if len(part)]

    def __iter__(self) -> Iterator[memoryview]:
        return iter(self._parts)

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __bytes__(self) -> bytes:
        return b"".join(self._parts)
