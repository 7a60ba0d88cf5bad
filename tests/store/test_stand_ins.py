"""Columns of numbers are stored as Arrow itself would write them, with one NaN, however they lie in memory."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from p2p.store import arrow
from p2p.store.encoding import digest_of, in_pieces
from p2p.store.stand_ins import Numbers, StandIns

_BORDERS = [0, 1, 7, 8, 9, arrow.ROWS - 1, arrow.ROWS, arrow.ROWS + 1, 2 * arrow.ROWS + 3]


def by_arrow(columns: dict[str, Any]) -> bytes:
    """The file as Arrow writes it of whole copies, in which there is one NaN."""
    arrays = {name: pa.array(_one_nan(column.copy()), from_pandas=False) for name, column in columns.items()}
    table, sink = pa.table(arrays).replace_schema_metadata({}), io.BytesIO()
    with pa.ipc.new_file(sink, table.schema) as writer:
        for start in range(0, table.num_rows, arrow.ROWS):
            batch = table.slice(start, arrow.ROWS)
            writer.write_batch(pa.record_batch([_alone(column) for column in batch.columns], schema=table.schema))
    return sink.getvalue()


def _one_nan(column: Any) -> Any:
    if column.dtype.kind == "f":
        column[np.isnan(column)] = np.nan
    return column


def _alone(column: pa.ChunkedArray) -> pa.Array:
    """The column on memory of its own: of a slice, Arrow writes what lies behind it too."""
    return pa.array(column.to_numpy(), type=column.type, from_pandas=False)


def by_us(columns: dict[str, Any]) -> bytes:
    rows = len(next(iter(columns.values())))
    return bytes(arrow.pieces([Numbers(column) for column in columns.values()], list(columns), rows, {}))


def with_nans(kind: str, rows: int) -> Any:
    """Numbers with NumPy's NaN, negative ones, and one with bits of its own in the middle and at the end."""
    numbers = np.random.default_rng(0).random(rows).astype(kind)
    numbers[::5] = np.nan
    numbers[1::7] = -np.array(np.nan, kind)
    bits = numbers.view(f"u{numbers.itemsize}")
    for place in (rows // 2, rows - 1)[: 2 * (rows > 0)]:
        bits[place] = np.array(np.inf, kind).view(bits.dtype) + 1
    assert np.isnan(numbers[rows // 2 :][:1]).all()
    return numbers


@pytest.mark.parametrize("rows", _BORDERS)
@pytest.mark.parametrize("kind", ["f8", "f4", "i8", "i4", "i1", "u2", "?"])
def test_a_column_of_numbers_is_written_as_arrow_writes_it(kind: str, rows: int) -> None:
    numbers = (np.random.default_rng(1).random(rows) * 9 - 2).astype(kind)
    columns = {"a": numbers, "turned": numbers[::-1], "each second": np.repeat(numbers, 2)[::2]}
    assert by_us(columns) == by_arrow(columns)


@pytest.mark.parametrize("rows", _BORDERS)
@pytest.mark.parametrize("kind", ["f8", "f4"])
def test_every_nan_is_written_as_the_one(kind: str, rows: int) -> None:
    numbers = with_nans(kind, rows)
    numbers.flags.writeable = False
    before = numbers.tobytes()
    columns = {"a": numbers, "turned": numbers[::-1], "whole": np.arange(rows)}
    assert by_us(columns) == by_arrow(columns)
    assert numbers.tobytes() == before


def test_columns_that_share_memory_do_not_take_each_others_place() -> None:
    numbers = with_nans("f8", 100)
    columns = {"bits": numbers.view("i8"), "numbers": numbers, "again": numbers}
    assert by_us(columns) == by_arrow(columns)


@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])
def test_a_matrix_in_either_order_gives_the_same_pieces(layout: Any) -> None:
    matrix = np.random.default_rng(2).random((arrow.ROWS + 5, 3))
    frame = pd.DataFrame(layout(matrix), columns=["a", "b", "c"], copy=False)
    columns = {name: matrix[:, place].copy() for place, name in enumerate("abc")}
    ref, data = in_pieces(frame)
    assert ref.digest == in_pieces(pd.DataFrame(columns))[0].digest == digest_of(bytes(data))


def test_what_was_taken_of_an_array_in_order_is_its_own_memory() -> None:
    numbers = np.arange(arrow.ROWS + 5.0)
    taken = [piece for piece in arrow.pieces([Numbers(numbers)], ["a"], len(numbers), {}) if len(piece) >= 5 * 8]
    shared = [piece for piece in taken if np.shares_memory(np.frombuffer(piece, np.uint8), numbers)]
    assert sum(map(len, shared)) == numbers.nbytes


def test_an_arrow_that_writes_copies_is_told() -> None:
    column = Numbers(np.arange(3.0))
    stand_ins = StandIns([column], 3)
    shown = stand_ins.array(column, 3).buffers()[1]
    assert b"".join(map(bytes, stand_ins.resolved([b"head", shown], 0, 3))) == b"head" + np.arange(3.0).tobytes()
    for parts in ([], [bytes(24)], [shown.slice(0, 8)]):
        with pytest.raises(RuntimeError, match="pyarrow wrote"):
            list(stand_ins.resolved(parts, 0, 3))
