"""What frames as Arrow files must hold to beside coming back whole: one digest for equal frames, and no copies."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from p2p.model import ValueRef
from p2p.store import DiskStore, by_former, decode, encode, identify
from p2p.store.arrow import ROWS
from p2p.store.encoding import digest_of, in_pieces
from p2p.store.frames import FormerFrameCodec


def equal(one: object, other: object) -> bool:
    return identify(one).digest == identify(other).digest


def texts(*items: str | None) -> pa.Array:
    return pa.array(items, pa.large_string())


def test_the_layout_of_blocks_does_not_show() -> None:
    whole = pd.DataFrame(np.arange(6.0).reshape(3, 2), columns=["a", "b"])
    split = pd.DataFrame({"a": whole["a"].copy()})
    split["b"] = whole["b"].to_numpy()
    assert equal(whole, split)
    assert equal(whole, pd.DataFrame(np.asfortranarray(whole.to_numpy()), columns=["a", "b"]))
    assert equal(whole, pd.DataFrame(np.arange(12.0).reshape(6, 2)[::2] * 0 + whole.to_numpy(), columns=["a", "b"]))


def test_chunks_and_slices_do_not_show() -> None:
    def frame(array: pa.ChunkedArray | pa.Array) -> pd.DataFrame:
        return pd.DataFrame({"s": pd.Series(array, dtype=pd.ArrowDtype(pa.large_string()))})

    one = frame(texts("a", "bb", None, "ä"))
    assert equal(one, frame(pa.chunked_array([texts("a"), texts("bb", None), texts("ä")])))
    assert equal(one, frame(texts("x", "a", "bb", None, "ä", "y").slice(1, 4)))


@pytest.mark.parametrize("rows", [1, 3, ROWS + 3])
@pytest.mark.parametrize("kind", ["str", "string", "int8[pyarrow]", "bool[pyarrow]", "double[pyarrow]", "Int8", "int8"])
def test_what_lies_around_a_part_of_a_frame_does_not_show(kind: str, rows: int) -> None:
    item, other = ("abc", "neighbour") if "str" in kind else (True, False) if "bool" in kind else (1, 2)
    whole = pd.DataFrame({"x": pd.Series([item] * rows + [other] * 9, dtype=kind)})
    inside = pd.DataFrame({"x": pd.Series([other] * 3 + [item] * rows + [other] * 9, dtype=kind)})[3:-9]
    alone = pd.DataFrame({"x": pd.Series([item] * rows, dtype=kind)})
    assert encode(inside.reset_index(drop=True))[1] == encode(alone)[1] == encode(whole[:rows])[1]
    assert encode(whole[:rows].set_index("x"))[1] == encode(alone.set_index("x"))[1]
    pd.testing.assert_frame_equal(decode("arrow", encode(whole[:rows])[1]), alone)


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64(), pa.int8(), pa.bool_()])
def test_what_lies_under_a_null_does_not_show(kind: pa.DataType) -> None:
    def frame(below: int) -> pd.DataFrame:
        data = pa.array([1, below, 0]).cast(kind)
        array = pa.Array.from_buffers(kind, 3, [pa.py_buffer(b"\x05"), data.buffers()[1]])
        assert array.null_count == 1
        return pd.DataFrame({"x": pd.Series(array, dtype=pd.ArrowDtype(kind))})

    assert identify(frame(0)).codec == "arrow"
    assert equal(frame(0), frame(1))


def test_masked_numbers_do_not_show_what_they_mask() -> None:
    def frame(below: int) -> pd.DataFrame:
        array = pd.arrays.IntegerArray(np.array([1, below]), np.array([False, True]))
        return pd.DataFrame({"x": array})

    assert equal(frame(1), frame(7))


def test_text_under_a_null_does_not_show() -> None:
    offsets, characters = np.array([0, 1, 3, 4]), b"abbc"
    array = pa.Array.from_buffers(
        pa.large_string(), 3, [pa.py_buffer(b"\x05"), pa.py_buffer(offsets), pa.py_buffer(characters)]
    )
    assert array.to_pylist() == ["a", None, "c"]
    kind = pd.ArrowDtype(pa.large_string())
    assert equal(
        pd.DataFrame({"x": pd.Series(array, dtype=kind)}),
        pd.DataFrame({"x": pd.Series(texts("a", None, "c"), dtype=kind)}),
    )


@pytest.mark.parametrize("length", [1, 7, 8, 9, 1000])
def test_the_last_bits_of_truths_do_not_show(length: int) -> None:
    many = pa.array([True] * (length + 3))
    kind = pd.ArrowDtype(pa.bool_())
    assert equal(pd.Series(many.slice(2, length), dtype=kind), pd.Series(pa.array([True] * length), dtype=kind))


def test_every_nan_is_one_nan_also_beside_infinities() -> None:
    quiet = np.array([np.nan, np.inf, -np.inf, 1.0])
    signed = quiet.copy()
    signed.view("u8")[0] ^= 1 << 63
    assert quiet.tobytes() != signed.tobytes()
    assert equal(pd.DataFrame({"x": quiet}), pd.DataFrame({"x": signed}))
    assert equal(quiet, signed)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1.0, 2.0], [2.0, 1.0]), ([1.0], [1]), ([0.0], [-0.0]), (["a", None], ["a", ""]), (["ab", "c"], ["a", "bc"]),
        ([True, None], [True, False]), ([], [1.0]),
    ],
)  # fmt: skip
def test_what_differs_has_another_digest(one: list[object], other: list[object]) -> None:
    assert not equal(pd.DataFrame({"x": one}), pd.DataFrame({"x": other}))


def test_any_reader_of_arrow_files_can_open_one(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1.5, 2.5], "s": ["a", "b"], "when": pd.to_datetime(["2026-01-01", "2026-01-02"])})
    store = DiskStore(tmp_path)
    path = store.path(store.put(frame))
    assert path.suffix == ".arrow"
    pd.testing.assert_frame_equal(pd.read_feather(path), frame, check_dtype=False)


def test_no_column_of_numbers_or_text_is_copied_to_be_stored(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": np.arange(2e6), "n": np.arange(2_000_000), "s": pd.Series(["some text"] * 2_000_000)})
    size = int(frame.memory_usage(deep=True).sum())
    arrow_before = pa.total_allocated_bytes()
    tracemalloc.start()
    try:
        ref, data = in_pieces(frame)
        DiskStore(tmp_path).put(frame)
        assert max(tracemalloc.get_traced_memory()[1], pa.total_allocated_bytes() - arrow_before) < size / 2
    finally:
        tracemalloc.stop()
    assert digest_of(data) == ref.digest


def test_frames_that_earlier_versions_stored_still_open(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1, None], "s": pd.Categorical(["a", "b"])}, index=pd.Index([5, 6], name="i"))
    [former] = by_former(frame)
    data = FormerFrameCodec().encode(frame)
    assert former.codec == "parquet"
    assert former.digest == digest_of(data)
    path = DiskStore(tmp_path).path(former)
    path.parent.mkdir()
    path.write_bytes(data)
    pd.testing.assert_frame_equal(DiskStore(tmp_path).get(former), frame)
    assert decode("parquet", data).equals(frame)
    assert list(by_former([1, 2])) == []
    assert isinstance(former, ValueRef)
