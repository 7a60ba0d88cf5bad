"""One column or index of a frame as an Arrow array and a description (`Spec`, JSON), and back, exactly."""

from __future__ import annotations

import base64
import datetime
import decimal
from functools import cache
from typing import Any

from p2p.store.arrays import canonical
from p2p.store.parquet import read, write
from p2p.store.plain import is_plain

Spec = dict[str, Any]

# Types of the objects that an object column may hold, all of one of them, and what Arrow stores for it. Decimals are
# text: Arrow would give them all one scale.
_OBJECTS: dict[type, str] = {str: "str", datetime.date: "date", decimal.Decimal: "decimal", bool: "bool"}
_ARROW_KINDS = ("int", "uint", "float", "double", "bool", "string", "large_string", "date32", "decimal128", "halffloat")


class Unfaithful(Exception):
    """Parquet would not give back what went in."""


def spec_of(values: Any) -> Spec:
    """What a Series or Index is, without its data.

    Raises:
        Unfaithful: for types that would not come back the same.
    """
    import numpy as np
    import pandas as pd

    dtype = values.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "biufO":
        return _spec_of_objects(values) if dtype.kind == "O" else {"kind": "number", "dtype": _name_of_numbers(dtype)}
    if isinstance(dtype, pd.CategoricalDtype):
        return _spec_of_categories(values)
    if isinstance(dtype, pd.DatetimeTZDtype) or dtype.kind in "mM":
        return _spec_of_times(dtype)
    if isinstance(dtype, pd.StringDtype):
        return {"kind": "string", "storage": dtype.storage, "na": "NA" if dtype.na_value is pd.NA else "nan"}
    if _is_masked(dtype) or _is_simple_arrow(dtype):
        return {"kind": "extension", "dtype": str(dtype)}
    raise Unfaithful(f"dtype {dtype}")


def to_arrow(values: Any, spec: Spec) -> Any:
    """The Arrow array (one chunk) of a Series or Index that `spec` describes."""
    import pyarrow as pa

    kind = spec["kind"]
    if kind == "object":
        return _objects_to_arrow(values, spec)
    if kind == "time":
        return _times_to_arrow(values, spec)
    if kind == "categorical":
        return pa.array(values.array.codes)
    if kind == "number":
        return pa.array(canonical(values.to_numpy()), from_pandas=False)
    if kind == "string" and spec["storage"] == "python":
        return pa.array(values.to_numpy(), pa.large_string(), from_pandas=True)
    array = pa.array(values.array)
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return array.cast(pa.large_string()) if kind == "string" else array


def numbers_of(values: Any, spec: Spec) -> Any:
    """The NumPy array of numbers that is all there is of a Series' data; None of one that is more than that."""
    if spec["kind"] == "number":
        return values.to_numpy()
    return values.array.codes if spec["kind"] == "categorical" else None


def values_from(spec: Spec, chunks: Any) -> Any:
    """The array that `to_arrow` was given, from the column that Parquet gave back."""
    import pandas as pd

    kind = spec["kind"]
    if kind == "object":
        return _objects_from(spec, chunks)
    if kind == "time":
        return _times_from(spec, chunks)
    if kind == "categorical":
        categories = _unpack(spec["categories"])
        return pd.Categorical.from_codes(chunks.to_numpy(), dtype=pd.CategoricalDtype(categories, spec["ordered"]))
    if kind == "number":
        return chunks.to_numpy()
    if kind == "string":
        missing: Any = pd.NA if spec["na"] == "NA" else float("nan")
        return _from_arrow(pd.StringDtype(spec["storage"], na_value=missing), chunks)
    return _from_arrow(pd.api.types.pandas_dtype(spec["dtype"]), chunks)


def _from_arrow(dtype: Any, chunks: Any) -> Any:
    return dtype.__from_arrow__(chunks)


@cache
def _name_of_numbers(dtype: Any) -> str:
    if dtype.itemsize > 8 or dtype.str == "<f2" or not dtype.isnative:
        raise Unfaithful(f"dtype {dtype}")
    return str(dtype)


def _is_masked(dtype: Any) -> bool:
    import pandas as pd

    masked = (pd.BooleanDtype, pd.Float32Dtype, pd.Float64Dtype, pd.Int8Dtype, pd.Int16Dtype, pd.Int32Dtype)
    return isinstance(dtype, (*masked, pd.Int64Dtype, pd.UInt8Dtype, pd.UInt16Dtype, pd.UInt32Dtype, pd.UInt64Dtype))


def _is_simple_arrow(dtype: Any) -> bool:
    import pandas as pd

    if not isinstance(dtype, pd.ArrowDtype):
        return False
    simple = str(dtype.pyarrow_dtype).startswith(_ARROW_KINDS)
    return simple and bool(pd.api.types.pandas_dtype(str(dtype)) == dtype)


# ---- objects


def _spec_of_objects(values: Any) -> Spec:
    import pandas as pd

    objects = values.to_numpy()
    kinds = set(map(type, objects))
    named = {type(None): "None", type(pd.NA): "NA", float: "nan"}
    nothing, kinds = kinds & named.keys(), kinds - named.keys()
    if len(kinds) > 1 or not kinds <= _OBJECTS.keys():
        raise Unfaithful("mixed objects")
    if len(nothing) > 1:
        raise Unfaithful("several kinds of missing")
    if float in nothing and any(item == item for item in objects if type(item) is float):
        raise Unfaithful("mixed objects")
    if decimal.Decimal in kinds and any(item.is_nan() for item in objects if type(item) is decimal.Decimal):
        raise Unfaithful("a decimal that is no number")
    of = _OBJECTS[kinds.pop()] if kinds else "bool"
    return {"kind": "object", "of": of, "missing": named[nothing.pop()] if nothing else None}


def _objects_to_arrow(values: Any, spec: Spec) -> Any:
    import pyarrow as pa

    objects = values.to_numpy()
    if spec["of"] == "decimal":
        objects = [str(item) if type(item) is decimal.Decimal else None for item in objects]
    stored = {"date": pa.date32(), "bool": pa.bool_()}.get(spec["of"], pa.large_string())
    return pa.array(objects, stored, from_pandas=True)  # whatever is missing to pandas is null


def _objects_from(spec: Spec, chunks: Any) -> Any:
    import numpy as np
    import pandas as pd

    missing = {"None": None, "NA": pd.NA, "nan": float("nan"), None: None}[spec["missing"]]
    items = chunks.to_pylist()
    if spec["of"] == "decimal":
        items = [None if item is None else decimal.Decimal(item) for item in items]
    objects = np.empty(len(items), dtype=object)
    objects[:] = items if missing is None else [missing if item is None else item for item in items]
    return objects


# ---- times


def _spec_of_times(dtype: Any) -> Spec:
    import numpy as np
    import pandas as pd

    zone = getattr(dtype, "tz", None)
    unit: Any = dtype.unit if zone is not None else np.datetime_data(dtype)[0]
    if zone is not None:
        again = pd.DatetimeTZDtype(unit, str(zone))
        if again != dtype or type(again.tz) is not type(zone):
            raise Unfaithful(f"time zone {zone!r}")
    return {"kind": "time", "of": dtype.kind, "unit": unit, "zone": None if zone is None else str(zone)}


def _times_to_arrow(values: Any, spec: Spec) -> Any:
    """A timestamp where Parquet has one of that unit, else the plain count (seconds, and all time spans)."""
    import numpy as np
    import pyarrow as pa

    counts = np.ascontiguousarray(values.array.view("i8"))
    array = pa.array(counts, mask=counts == np.iinfo(np.int64).min)
    if spec["of"] == "m" or spec["unit"] == "s":
        return array
    return array.view(pa.timestamp(spec["unit"], "UTC" if spec["zone"] else None))


def _times_from(spec: Spec, chunks: Any) -> Any:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    array = chunks.combine_chunks().view(pa.int64()).fill_null(np.iinfo(np.int64).min)
    times = np.array(array.to_numpy(zero_copy_only=False)).view(f"{spec['of']}8[{spec['unit']}]")
    if spec["zone"] is None:
        return times
    return pd.DatetimeIndex(times).tz_localize("UTC").tz_convert(spec["zone"]).array


# ---- categories


def _spec_of_categories(values: Any) -> Spec:
    dtype = values.dtype
    return {"kind": "categorical", "ordered": bool(dtype.ordered), "categories": _pack(dtype.categories)}


def _pack(index: Any) -> Spec:
    """An index with its data inside its description: for categories, whose length is not the frame's."""
    import pyarrow as pa

    spec = describe_index(index)
    arrays = index_parts(index, spec)
    table = pa.table(arrays, names=[str(position) for position in range(len(arrays))])
    return {**spec, "data": base64.b64encode(write(table)).decode()}


def _unpack(spec: Spec) -> Any:
    return index_from(spec, read(base64.b64decode(spec["data"])).columns)


# ---- indexes


def describe_index(index: Any, *, inline: bool = False) -> Spec:
    """What an index is, without its data; with `inline` its labels are in the description, as for columns.

    Raises:
        Unfaithful: for an index that would not come back the same.
    """
    import pandas as pd

    if not all(type(name) in (str, int, type(None)) and is_plain(name) for name in index.names):
        raise Unfaithful("the name of an index")
    names = list(index.names)
    if type(index) is pd.RangeIndex:
        return {"kind": "range", "bounds": [index.start, index.stop, index.step], "names": names}
    if inline:
        return _labels(index)
    if type(index) is pd.MultiIndex:
        levels = [index.get_level_values(level) for level in range(index.nlevels)]
        return {"kind": "multi", "levels": [_spec_of_level(level) for level in levels], "names": names}
    if type(index) not in (pd.Index, pd.DatetimeIndex, pd.TimedeltaIndex, pd.CategoricalIndex):
        raise Unfaithful(f"an index of type {type(index).__name__}")
    return {"kind": "values", "levels": [_spec_of_level(index)], "names": names}


def _labels(index: Any) -> Spec:
    """The labels of a frame's columns: text or whole numbers, each once."""
    import pandas as pd

    labels = index.tolist()
    simple = type(index) is pd.Index and index.is_unique and set(map(type, labels)) in ({str}, {int}, set())
    spec = spec_of(index) if simple else {}
    if not simple or spec["kind"] not in ("object", "string", "number") or not is_plain(labels):
        raise Unfaithful("the labels of the columns")
    return {"kind": "labels", "levels": [spec], "dtype": str(index.dtype), "items": labels, "names": list(index.names)}


def _spec_of_level(level: Any) -> Spec:
    return {**spec_of(level), "freq": _freq(level)}


def _freq(index: Any) -> str | None:
    from pandas.tseries.frequencies import to_offset

    freq = getattr(index, "freq", None)
    if freq is None:
        return None
    if to_offset(freq.freqstr) != freq:
        raise Unfaithful(f"frequency {freq!r}")
    text: str = freq.freqstr
    return text


def index_parts(index: Any, spec: Spec) -> list[Any]:
    """The Arrow arrays of an index: one a level, none for a range.

    Raises:
        Unfaithful: for a MultiIndex that would come back other than it went in.
    """
    if spec["kind"] == "range":
        return []
    if spec["kind"] == "values":
        return [to_arrow(index, spec["levels"][0])]
    arrays = [to_arrow(index.get_level_values(level), part) for level, part in enumerate(spec["levels"])]
    again = index_from(spec, arrays)
    if not again.equals(index) or not again.dtypes.equals(index.dtypes):
        raise Unfaithful("a MultiIndex that is rebuilt otherwise")
    return arrays


def index_from(spec: Spec, columns: list[Any]) -> Any:
    """The index that `describe_index` described."""
    import pandas as pd

    if spec["kind"] == "range":
        return pd.RangeIndex(*spec["bounds"]).rename(spec["names"][0])
    if spec["kind"] == "labels":
        return pd.Index(spec["items"], dtype=_label_dtype(spec["levels"][0]), name=spec["names"][0])
    levels = [_level(part, column) for part, column in zip(spec["levels"], columns, strict=True)]
    if spec["kind"] == "multi":
        return pd.MultiIndex.from_arrays(levels, names=spec["names"])
    return levels[0].rename(spec["names"][0])


def _level(spec: Spec, column: Any) -> Any:
    import pandas as pd
    import pyarrow as pa

    column = pa.chunked_array([column]) if isinstance(column, pa.Array) else column
    level: Any = pd.Index(values_from(spec, column), dtype=object if spec["kind"] == "object" else None)
    return type(level)(level, freq=spec["freq"]) if spec["freq"] else level


def _label_dtype(spec: Spec) -> Any:
    import pandas as pd

    if spec["kind"] == "string":
        return pd.StringDtype(spec["storage"], na_value=pd.NA if spec["na"] == "NA" else float("nan"))
    return object if spec["kind"] == "object" else spec["dtype"]
