"""NumPy arrays and scalars as npy, in one canonical form: equal arrays have equal bytes."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from typing import Any

from p2p.store.pieces import Pieces

# Items that are made canonical together: so many are still in a processor's cache when they are digested after that.
_BLOCK = 1 << 16

# Written behind the array's data, where readers of npy stop: it tells a scalar from an array without dimensions.
_SCALAR = b"scalar"


class NpyCodec:
    """The npy format, C order, without pickles. Byte order, structure and time units are kept."""

    name = "npy"
    suffix = ".npy"

    def accepts(self, value: Any) -> bool:
        np: Any = sys.modules.get("numpy")
        if np is None:
            return False
        if isinstance(value, np.generic):
            return _describable(value.dtype) and _same_scalar(value, self.decode(bytes(self.encode(value))))
        return type(value) is np.ndarray and _describable(value.dtype)

    def encode(self, value: Any) -> bytes | Pieces:
        import numpy as np

        if isinstance(value, np.generic):
            return _whole(canonical(np.asarray(value))) + _SCALAR
        array = value if value.flags.c_contiguous else value.copy(order="C")
        header = _header(array) if array.size and array.ndim else b""
        return Pieces(lambda: _parts(header, array.reshape(-1))) if header else _whole(canonical(array))

    def decode(self, data: bytes) -> Any:
        import numpy as np

        buffer = io.BytesIO(data)
        array = np.lib.format.read_array(buffer, allow_pickle=False)
        return array[()] if buffer.read() == _SCALAR else array


def _parts(header: bytes, items: Any) -> Iterator[Any]:
    import numpy as np

    yield header
    for start in range(0, len(items), _BLOCK):
        yield canonical(items[start : start + _BLOCK]).view(np.uint8)


def _whole(array: Any) -> bytes:
    import numpy as np

    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _header(array: Any) -> bytes:
    """What stands before the data of an array in C order; nothing where only a later version of the format will do."""
    import numpy as np

    buffer = io.BytesIO()
    try:
        np.lib.format.write_array_header_1_0(buffer, np.lib.format.header_data_from_array_1_0(array))
    except ValueError:  # its description is long
        return b""
    return buffer.getvalue()


def canonical(array: Any) -> Any:
    """The same array in C order, with one NaN and zeros as padding; a copy only where that changes something."""
    if not array.flags.c_contiguous:
        array = array.copy(order="C")
    if array.dtype.kind == "f":
        return _one_nan(array)
    return _zero_padding(array) if array.dtype.names else array


def _one_nan(array: Any) -> Any:
    # 0/0 gives a NaN with the sign bit set, np.nan has none: equal to every reader, but other bytes.
    import numpy as np

    with np.errstate(all="ignore"):
        if array.size and not np.isnan(array.min()):  # half the time of a look at each item
            return array
    missing = np.isnan(array)
    if not missing.any() or np.array_equal(missing, _is_the_nan(array)):
        return array
    return np.where(missing, array.dtype.type(np.nan), array).astype(array.dtype, copy=False)


def _is_the_nan(array: Any) -> Any:
    """Where the very bits of NumPy's own NaN are; nowhere in numbers too long for a whole number to have their bits."""
    import numpy as np

    if array.itemsize > 8:
        return np.zeros(array.shape, np.bool_)
    bits = np.dtype(f"u{array.itemsize}")
    return array.view(bits) == np.array(np.nan, array.dtype).view(bits)


def _zero_padding(array: Any) -> Any:
    # Between the fields of an aligned structure lies whatever was in memory.
    import numpy as np

    if sum(array.dtype[name].itemsize for name in array.dtype.names) == array.dtype.itemsize:
        return array
    clean = np.zeros(array.shape, array.dtype)
    for name in array.dtype.names:
        clean[name] = array[name]
    return clean


def _describable(dtype: Any) -> bool:
    import numpy as np

    if dtype.hasobject or dtype.kind not in "biufcmMSUV":
        return False
    return bool(np.lib.format.descr_to_dtype(np.lib.format.dtype_to_descr(dtype)) == dtype)


def _same_scalar(one: Any, other: Any) -> bool:
    same = one.tobytes() == other.tobytes() or one != one
    return type(one) is type(other) and one.dtype == other.dtype and bool(same)
