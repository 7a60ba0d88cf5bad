"""Pandas frames and series as Arrow files, exactly, in one canonical form.

Pandas' own metadata loses some of what a frame is (unused categories, seconds, which kind of missing, an index's freq).
So each column is stored as a simple Arrow array beside a description of what it was; `columns.py` does that for one
column. Any reader of Arrow files (or Feather, version 2) can open the files.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from p2p.store import arrow, parquet
from p2p.store.columns import (
    Spec,
    Unfaithful,
    describe_index,
    index_from,
    index_parts,
    numbers_of,
    spec_of,
    to_arrow,
    values_from,
)  # fmt: skip
from p2p.store.pieces import Pieces
from p2p.store.plain import is_plain
from p2p.store.stand_ins import Numbers

# A column costs something by itself; past this a frame is one matrix in all but name, and pickles faster.
MAX_COLUMNS = 2_000
_KEY = b"p2p"


class FrameCodec:
    """An Arrow file (IPC, not compressed, in batches of 65,536 rows) of a DataFrame or Series."""

    name = "arrow"
    suffix = ".arrow"

    def accepts(self, value: Any) -> bool:
        pd: Any = sys.modules.get("pandas")
        return pd is not None and type(value) in (pd.DataFrame, pd.Series)

    def encode(self, value: Any) -> Pieces | bytes:
        """The file; raises Unfaithful where it could not give the value back."""
        parts = _columns(value)
        spec = _describe(value, parts)
        columns = [_stored(part, part_spec) for part, part_spec in zip(parts, spec["values"], strict=True)]
        columns += [_slices(array) for array in index_parts(value.index, spec["index"])]
        return arrow.pieces(columns, _field_names(spec, len(columns)), len(value), _metadata(spec))

    def decode(self, data: bytes) -> Any:
        return _value(arrow.read(data))


class FormerFrameCodec(FrameCodec):
    """Parquet (zstd level 1, fixed row groups, no statistics), as earlier versions stored frames."""

    name = "parquet"
    suffix = ".parquet"

    def accepts(self, value: Any) -> bool:
        if not super().accepts(value):
            return False
        try:
            _describe(value, _columns(value))
        except Unfaithful:
            return False
        return True

    def encode(self, value: Any) -> bytes:
        return parquet.write(_table(value))

    def decode(self, data: bytes) -> Any:
        return _value(parquet.read(data))


def _table(value: Any) -> Any:
    """The Arrow table of a frame, with all that it is besides in its metadata."""
    import pyarrow as pa

    parts = _columns(value)
    spec = _describe(value, parts)
    arrays = [to_arrow(part, part_spec) for part, part_spec in zip(parts, spec["values"], strict=True)]
    arrays += index_parts(value.index, spec["index"])
    return pa.table(arrays, names=_field_names(spec, len(arrays)), metadata=_metadata(spec))


def _metadata(spec: Spec) -> dict[bytes, bytes]:
    return {_KEY: json.dumps(spec, separators=(",", ":")).encode()}


def _stored(column: Any, spec: Spec) -> arrow.Column | Numbers:
    """What a column's rows are stored as."""
    numbers = numbers_of(column, spec)
    return _slices(to_arrow(column, spec)) if numbers is None else Numbers(numbers)


def _slices(array: Any) -> arrow.Column:
    array = arrow.ending(array)
    return lambda start, end: array.slice(start, end - start)


def _value(table: Any) -> Any:
    """The frame that `_table` was given."""
    import pandas as pd

    spec = json.loads(table.schema.metadata[_KEY])
    chunks = table.columns
    index = index_from(spec["index"], chunks[len(spec["values"]) :])
    alone = spec["frame"] == "Series"  # a DataFrame copies by itself
    values = [
        pd.Series(values_from(part, chunk), index=index, dtype=_pinned(part), copy=alone)
        for part, chunk in zip(spec["values"], chunks, strict=False)
    ]
    value = values[0].rename(spec["name"]) if alone else _frame(values, index, spec)
    value.attrs.update(spec["attrs"])
    return value


def _frame(values: list[Any], index: Any, spec: Spec) -> Any:
    import pandas as pd

    frame = pd.DataFrame(dict(enumerate(values)), index=index)
    frame.columns = index_from(spec["columns"], [])
    return frame


def _pinned(spec: Spec) -> Any:
    # Pandas would guess `str` for objects that are all strings.
    return object if spec["kind"] == "object" else None


def _columns(value: Any) -> list[Any]:
    """The columns of a frame as series. Raises Unfaithful where they are too many."""
    if value.ndim == 1:
        return [value]
    if value.shape[1] > MAX_COLUMNS:
        raise Unfaithful("too many columns")
    return [column for _, column in value.items()]


def _describe(value: Any, columns: list[Any]) -> Spec:
    """All but the data: what the frame is, as JSON. Raises Unfaithful where the file could not give it back."""
    if not (is_plain(value.attrs) and value.flags.allows_duplicate_labels):
        raise Unfaithful("attrs or flags")
    spec: Spec = {"frame": type(value).__name__, "attrs": value.attrs, "index": describe_index(value.index)}
    if value.ndim == 1:
        spec["name"] = _plain_name(value.name)
    else:
        spec["columns"] = describe_index(value.columns, inline=True)
    spec["values"] = [spec_of(column) for column in columns]
    return spec


def _plain_name(name: Any) -> Any:
    if type(name) in (str, int, type(None)) and is_plain(name):
        return name
    raise Unfaithful("a name that is neither text nor a number")


def _field_names(spec: Spec, count: int) -> list[str]:
    """Names for other readers of the file; ours goes by position."""
    inside = len(spec["values"])
    labels = spec["columns"].get("items", range(inside)) if "columns" in spec else [spec["name"] or "value"]
    names = [*map(str, labels), *(f"__index_{level}__" for level in range(count - inside))]
    return names if len(set(names)) == count else [str(position) for position in range(count)]
