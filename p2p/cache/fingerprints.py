"""Whether an object has changed in place, told at memory speed and for this process alone.

A fingerprint is no digest: it may take in where an object's parts lie, so it means nothing in another process. Two of
one object are equal where nothing has changed it in between, as far as can be seen: what the items of a column of
objects are made of is not looked at.
"""

from __future__ import annotations

import ctypes
import pickle
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

from blake3 import blake3

IMMUTABLE: Final = (str, bytes, int, float, complex, bool, type(None))
_MOST_PICKLED: Final = 1_000_000
Feed = Callable[[Any], Any]


def fingerprint(value: Any) -> bytes | None:
    """The fingerprint of an object; None where it cannot change, or nobody can tell."""
    if isinstance(value, IMMUTABLE):
        return None
    hashed = blake3()
    try:
        if not _frame(value, hashed.update) and not _array(value, hashed.update):
            hashed.update(_pickled(value))
    except Exception:  # noqa: BLE001 - pickling runs the value's own code
        return None
    return hashed.digest()


def size(value: Any) -> int:
    """How many bytes of an array or a frame a fingerprint looks at; 0 for anything else."""
    if _is_frame(value):
        usage = value.memory_usage(index=False, deep=False)
        return int(usage.sum() if value.ndim > 1 else usage)
    numpy: Any = sys.modules.get("numpy")
    return int(value.nbytes) if numpy is not None and isinstance(value, numpy.ndarray) else 0


def _is_frame(value: Any) -> bool:
    pandas: Any = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame | pandas.Series)


def _frame(value: Any, feed: Feed) -> bool:
    if not _is_frame(value):
        return False
    for part in _columns(value):
        feed(type(part).__name__.encode())
        if not _array(part, feed) and not _arrow(part, feed):
            feed(_pickled(part))
    return True


def _columns(value: Any) -> Iterator[Any]:
    """The arrays that a frame or a series is made of, its labels included."""
    yield value.index._data if hasattr(value.index, "_data") else value.index  # RangeIndex: three numbers
    if value.ndim == 1:
        yield from (value.name, _plain(value.array))
        return
    yield value.columns.tolist()
    yield from (_plain(value.iloc[:, at].array) for at in range(value.shape[1]))


def _plain(array: Any) -> Any:
    """The NumPy array inside of pandas's own, which are around numbers and times; else the array itself."""
    return getattr(array, "_ndarray", array)


def _array(value: Any, feed: Feed) -> bool:
    numpy: Any = sys.modules.get("numpy")
    if numpy is None or not isinstance(value, numpy.ndarray) or type(value).__module__ != "numpy":
        return False
    feed(f"{value.dtype} {value.shape} {value.strides}".encode())
    if value.dtype.hasobject:
        feed(_addresses(value))
    else:
        feed(numpy.ascontiguousarray(value).view(numpy.uint8).data if value.size else b"")
    return True


def _addresses(value: Any) -> bytes:
    """Where the items of an array of objects lie: another item has another address."""
    numpy: Any = sys.modules["numpy"]
    whole = numpy.ascontiguousarray(value)
    return ctypes.string_at(whole.ctypes.data, whole.nbytes) if whole.size else b""


def _arrow(value: Any, feed: Feed) -> bool:
    """By where the buffers lie: what Arrow holds never changes in place, pandas puts others there."""
    held = getattr(value, "_pa_array", None)
    if held is None:
        return False
    for chunk in held.chunks:
        addresses = [None if buffer is None else buffer.address for buffer in chunk.buffers()]
        feed(repr((chunk.offset, len(chunk), addresses)).encode())
    return True


class _TooLarge(Exception):
    """A pickle is longer than is worth it."""


class _Bounded:
    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.left = _MOST_PICKLED

    def write(self, part: Any) -> None:
        self.left -= len(part)
        if self.left < 0:
            raise _TooLarge
        self.parts.append(bytes(part))


def _pickled(value: Any) -> bytes:
    bounded = _Bounded()
    pickle.Pickler(bounded, protocol=5).dump(value)
    return b"".join(bounded.parts)
