"""Columns as Arrow files (IPC), so that equal columns give equal bytes, and none is copied as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from p2p.store.pieces import Pieces
from p2p.store.stand_ins import Numbers, StandIns

ROWS = 1 << 16
"""Rows of a record batch: columns that lie across memory are gathered in parts that fit a processor's cache."""
Column = Callable[[int, int], Any]
"""Gives a column's rows from one place to another, as an Arrow array."""


def pieces(
    columns: Sequence[Column | Numbers], names: Sequence[str], rows: int, metadata: Mapping[bytes, bytes]
) -> Pieces:
    """The bytes of an Arrow file, uncompressed: the columns' own memory, where that is canonical."""
    import pyarrow as pa

    fields = [pa.field(name, _type(column)) for name, column in zip(names, columns, strict=True)]
    schema = pa.schema(fields, metadata=metadata)

    def parts() -> Iterator[Any]:
        sink, stand_ins = _Sink(), StandIns(columns, min(rows, ROWS))
        with pa.ipc.new_file(pa.PythonFile(sink, mode="w"), schema) as writer:
            for start in range(0, rows, ROWS):
                end = min(start + ROWS, rows)
                arrays = [
                    stand_ins.array(column, end - start)
                    if isinstance(column, Numbers)
                    else canonical_array(column(start, end))
                    for column in columns
                ]
                writer.write_batch(pa.record_batch(arrays, schema=schema))
                yield from stand_ins.resolved(sink.taken(), start, end)
        yield from sink.taken()

    return Pieces(parts)


def _type(column: Column | Numbers) -> Any:
    return column.type if isinstance(column, Numbers) else column(0, 0).type


def read(data: bytes) -> Any:
    """The table of `pieces`, on the memory of `data`."""
    import pyarrow as pa

    return pa.ipc.open_file(pa.BufferReader(data)).read_all()


class _Sink:
    """A file that keeps what Arrow hands it: the buffers themselves."""

    closed = False

    def __init__(self) -> None:
        self.parts: list[Any] = []

    def write(self, part: Any) -> int:
        self.parts.append(part)
        return len(part)

    def taken(self) -> list[Any]:
        """What has come since the last time."""
        parts, self.parts = self.parts, []
        return parts

    def flush(self) -> None: ...

    def close(self) -> None: ...

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


def ending(array: Any) -> Any:
    """The same array on memory that ends with it: Arrow pads what it writes of a part with what lies behind that."""
    import pyarrow as pa

    end, (validity, *data) = array.offset + len(array), array.buffers()
    if pa.types.is_boolean(array.type) or not len(array) or data[-1] is None:
        return array
    if len(data) == 2:  # texts: the places of their ends, and the characters
        data[1] = data[1].slice(0, _places(array)[-1])
    else:
        data[0] = data[0].slice(0, end * array.type.bit_width // 8)
    return pa.Array.from_buffers(array.type, len(array), [validity, *data], offset=array.offset)


def canonical_array(array: Any) -> Any:
    """The same array without what no reader sees: what lies under its nulls, and beyond its last bit."""
    import pyarrow as pa

    if pa.types.is_boolean(array.type):
        return pa.Array.from_buffers(array.type, len(array), [_validity(array), _bits(array.fill_null(False))])
    if not array.null_count:
        return array
    if pa.types.is_large_string(array.type) or pa.types.is_string(array.type):
        return pa.Array.from_buffers(array.type, len(array), [_validity(array), *_texts(array)])
    width = array.type.bit_width // 8
    return pa.Array.from_buffers(array.type, len(array), [_validity(array), _zeroed(array, width)])


def _validity(array: Any) -> Any:
    return _bits(array.is_valid()) if array.null_count else None


def _bits(truths: Any) -> Any:
    """An Arrow bitmap of a boolean array without nulls; the bits that are left over are 0."""
    import numpy as np
    import pyarrow as pa

    return pa.py_buffer(np.packbits(truths.to_numpy(zero_copy_only=False), bitorder="little"))


def _texts(array: Any) -> list[Any]:
    """The offsets and characters of texts of which some are null, without what lies under these."""
    import numpy as np
    import pyarrow as pa

    offsets, characters = _places(array), array.buffers()[2]
    hidden = np.diff(offsets) * array.is_null().to_numpy(zero_copy_only=False)
    if characters is None or hidden.any():
        return _zero_based(array.fill_null(""))
    first, last = int(offsets[0]), int(offsets[-1])
    return [pa.py_buffer(offsets - offsets[0]), characters.slice(first, last - first)]


def _places(texts: Any) -> Any:
    """Where each text begins, and the last one ends."""
    import numpy as np
    import pyarrow as pa

    kind = np.dtype(np.int64 if pa.types.is_large_string(texts.type) else np.int32)
    return np.frombuffer(texts.buffers()[1], kind, len(texts) + 1, texts.offset * kind.itemsize)


def _zero_based(texts: Any) -> list[Any]:
    """The offsets and characters of texts, where the first one begins at 0."""
    import pyarrow as pa

    whole = pa.concat_arrays([texts]) if not texts.offset else pa.concat_arrays([texts, texts[:0]])
    return [buffer for buffer in whole.buffers()[1:] if buffer is not None]


def _zeroed(array: Any, width: int) -> Any:
    """The data of an array of fixed width, with zeros under its nulls."""
    import numpy as np
    import pyarrow as pa

    start = array.offset * width
    data = np.frombuffer(array.buffers()[1], np.uint8)[start : start + len(array) * width].reshape(-1, width).copy()
    data[~array.is_valid().to_numpy(zero_copy_only=False)] = 0
    return pa.py_buffer(data.reshape(-1))
