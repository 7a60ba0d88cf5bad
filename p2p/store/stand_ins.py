"""Columns of numbers in an Arrow file, which are looked at only in the moment in which somebody takes their bytes.

Arrow looks at no item of such a column when it writes it. So it is shown an array of nothing in its place, and in what
it writes that is replaced. What digests the numbers then finds them in the processor's cache, where the look for NaN
has brought them; a whole batch of a frame does not fit there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from p2p.store.arrays import canonical

_APART = 64  # bytes between two of them


class Numbers:
    """A column whose rows are stored as the numbers of a NumPy array, none of them null.

    Args:
        items: the array, of one dimension; what lies across memory is gathered when it is asked for.
    """

    def __init__(self, items: Any) -> None:
        import pyarrow as pa

        self.type = pa.from_numpy_dtype(items.dtype)
        self._items = items

    def room(self, rows: int) -> int:
        """How many bytes so many rows take."""
        return int(rows * self.type.bit_width + 7) // 8

    def stored(self, start: int, end: int) -> Any:
        """The bytes of some rows, as a NumPy array."""
        import numpy as np

        items = self._items[start:end]
        return np.packbits(items, bitorder="little") if items.dtype.kind == "b" else canonical(items)


class StandIns:
    """What Arrow is shown in the place of numbers: memory that nobody reads or writes, at another address for each."""

    def __init__(self, columns: Sequence[object], rows: int) -> None:
        import numpy as np
        import pyarrow as pa

        self._columns = [column for column in columns if isinstance(column, Numbers)]
        self._places = {column: place * _APART for place, column in enumerate(self._columns)}
        room = max((column.room(rows) for column in self._columns), default=0)
        self._memory = pa.py_buffer(np.empty(room + _APART * len(self._columns), np.uint8))

    def array(self, column: Numbers, rows: int) -> Any:
        """What stands in for so many rows of a column."""
        import pyarrow as pa

        data = self._memory.slice(self._places[column], column.room(rows))
        return pa.Array.from_buffers(column.type, rows, [None, data], null_count=0)

    def resolved(self, parts: Iterable[Any], start: int, end: int) -> Iterator[Any]:
        """What Arrow wrote of a batch, with the rows of each column in the place of what stood in for them.

        Raises:
            RuntimeError: this version of Arrow writes copies of what it is shown, in which nothing can be replaced.
        """
        base = self._memory.address
        waiting = {base + self._places[column]: column for column in self._columns}
        for part in parts:
            column = waiting.pop(getattr(part, "address", None), None)
            if column is None:
                yield part
            elif part.size == column.room(end - start):
                yield column.stored(start, end)
            else:
                raise RuntimeError("pyarrow wrote another part of a column than it was shown")
        if waiting:
            raise RuntimeError("pyarrow wrote copies of the columns that it was shown")
