"""Where two arrays, frames or indexes differ; `compare.py` calls this and is called back for objects inside."""

from __future__ import annotations

from typing import Any, Protocol

from p2p.store.arrays import canonical


class Compare(Protocol):
    """A comparison under way: the first difference of two objects; what numbers may differ by."""

    tolerance: float

    def __call__(self, a: Any, b: Any, /) -> str | None: ...


_PLACES = ("key ", "item ", "attribute ", "column ", "row ", "position ", "its ", "what ", "index", "dtype ")


def placed(place: str, found: str) -> str:
    """A difference with the place it was found in; a further place follows a comma, the two values a colon."""
    return f"{place}{', ' if found.startswith(_PLACES) else ': '}{found}"


def array_difference(a: Any, b: Any, compare: Compare) -> str | None:
    """Dtype, shape, then the first position whose items differ."""
    if a.dtype != b.dtype:
        return f"dtype {a.dtype} against {b.dtype}"
    if a.shape != b.shape:
        return f"shape {a.shape} against {b.shape}"
    if a.dtype.hasobject:
        return _first_object(a.ravel(), b.ravel(), a.shape, compare)
    unequal = _unequal(a, b, compare.tolerance)
    count = int(unequal.sum())
    if count == 0:
        return None
    position = tuple(int(at) for at in zip(*unequal.nonzero(), strict=True).__next__()) if a.ndim else ()
    place = f"position {position[0] if a.ndim == 1 else position}: " if a.ndim else ""
    return f"{place}{a[position]} against {b[position]}{_and_more(count - 1)}"


def frame_difference(a: Any, b: Any, compare: Compare) -> str | None:
    """Shape, labels, index, dtypes, then the first column with its first row."""
    if a.shape != b.shape:
        return f"shape {a.shape} against {b.shape}"
    if a.ndim == 1:
        named = compare(a.name, b.name)
        found = index_difference(a.index, b.index, compare) or column_difference(a, b, compare)
        return placed("name", named) if named else found or _attrs(a, b, compare)
    labels = index_difference(a.columns, b.columns, compare)
    if labels is not None:
        return labels.replace("index", "columns", 1)
    found = index_difference(a.index, b.index, compare)
    for position in range(0 if found else a.shape[1]):
        inside = column_difference(a.iloc[:, position], b.iloc[:, position], compare)
        if inside is not None:
            return placed(f"column {a.columns[position]!r}", inside)
    return found or _attrs(a, b, compare)


def _attrs(a: Any, b: Any, compare: Compare) -> str | None:
    found = compare(a.attrs, b.attrs)
    return placed("attrs", found) if found else None


def index_difference(a: Any, b: Any, compare: Compare) -> str | None:
    """Type, length, names, dtypes, then the first label."""
    if type(a) is not type(b):
        return f"index of type {type(a).__name__} against {type(b).__name__}"
    if len(a) != len(b):
        return f"index of length {len(a)} against {len(b)}"
    if list(a.names) != list(b.names):
        return f"index names {list(a.names)} against {list(b.names)}"
    if a.nlevels != 1:
        levels = ((a.get_level_values(level), b.get_level_values(level)) for level in range(a.nlevels))
        return next((found for one, other in levels if (found := index_difference(one, other, compare))), None)
    if getattr(a, "freq", None) != getattr(b, "freq", None):
        return f"index freq {a.freq} against {b.freq}"
    found = None if type(a).__name__ == "RangeIndex" and a.equals(b) else column_difference(a, b, compare)
    return placed("index", found) if found else None


def column_difference(a: Any, b: Any, compare: Compare) -> str | None:
    """Dtype, then the first row of two Series or Indexes of the same length."""
    if a.dtype != b.dtype or repr(a.dtype) != repr(b.dtype):
        return f"dtype {_dtype(a, b)} against {_dtype(b, a)}"
    if a.dtype.name != "object" and a.array.equals(b.array):
        return None
    one, other = _plain_array(a), _plain_array(b)
    if one.dtype.hasobject:
        return _first_object(one, other, one.shape, compare, word="row")
    unequal = _unequal(one, other, compare.tolerance)
    count = int(unequal.sum())
    if count == 0:
        return None
    row = int(unequal.argmax())
    return f"row {row}: {_item(a, row)} against {_item(b, row)}{_and_more(count - 1)}"


def _dtype(a: Any, other: Any) -> str:
    return str(a.dtype) if str(a.dtype) != str(other.dtype) else repr(a.dtype)


def _item(values: Any, row: int) -> str:
    item = values.iloc[row] if hasattr(values, "iloc") else values[row]
    return str(item.item() if type(item).__module__ == "numpy" and hasattr(item, "item") else item)


def _plain_array(values: Any) -> Any:
    """A NumPy array in which equal values are equal: time as counts; categories, text and masked values as objects."""
    import numpy as np
    import pandas as pd

    if isinstance(values.dtype, pd.DatetimeTZDtype) or values.dtype.kind in "mM":
        return np.asarray(values.array.view("i8"))
    return np.asarray(values) if isinstance(values.dtype, np.dtype) else np.asarray(values.array, dtype=object)


def close(a: Any, b: Any, tolerance: float) -> Any:
    """True where the floating-point items of arrays or scalars of one dtype differ within the tolerance.

    That is this part of the larger item, or 8 units in the last place of the largest item: rounding near zero.
    """
    import numpy as np

    if not tolerance or a.dtype.kind not in "fc":
        return np.zeros(a.shape, bool)
    with np.errstate(all="ignore"):
        sizes = np.maximum(np.abs(a), np.abs(b))
        largest = np.max(sizes, where=np.isfinite(sizes), initial=0)
        rounding = 8 * float(np.finfo(a.dtype).eps)
        return np.abs(a - b) <= np.maximum(max(tolerance, rounding) * sizes, rounding * largest)


def _unequal(a: Any, b: Any, tolerance: float) -> Any:
    """True where the items differ; missing equals missing."""
    import numpy as np

    unequal = np.asarray(a != b)
    if a.dtype.kind in "fcmM":
        unequal = unequal & ~(np.isnat(a) & np.isnat(b) if a.dtype.kind in "mM" else np.isnan(a) & np.isnan(b))
    if tolerance:
        unequal = unequal & ~close(a, b, tolerance)
    if a.dtype.names and unequal.any():  # a NaN in a field: only the bytes can say
        same = canonical(a).tobytes() == canonical(b).tobytes()
        unequal = np.zeros_like(unequal) if same else unequal
    return unequal


def _first_object(a: Any, b: Any, shape: tuple[int, ...], compare: Compare, word: str = "position") -> str | None:
    import numpy as np

    first, count = "", 0
    for at, (one, other) in enumerate(zip(a, b, strict=True)):
        if one is other or (type(one) is str and type(other) is str and one == other):
            continue
        found = compare(one, other)
        if found is not None:
            place = at if len(shape) == 1 else tuple(map(int, np.unravel_index(at, shape)))
            first, count = first or placed(f"{word} {place}", found), count + 1
    return f"{first}{_and_more(count - 1)}" if first else None


def _and_more(count: int) -> str:
    return f", and {count:,} more" if count > 0 else ""
