"""Arrays are stored block by block, as NumPy would write the whole canonical array."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from p2p.store.arrays import NpyCodec
from tests.store.test_stand_ins import with_nans

_BLOCK = 1 << 16
_BORDERS = [1, 5, _BLOCK - 1, _BLOCK, _BLOCK + 1, 2 * _BLOCK + 3]


def by_numpy(array: Any) -> bytes:
    """The npy file of a whole copy in which there is one NaN."""
    whole = array.copy(order="C")
    if whole.dtype.kind == "f":
        whole[np.isnan(whole)] = np.nan
    buffer = io.BytesIO()
    np.save(buffer, whole, allow_pickle=False)
    return buffer.getvalue()


@pytest.mark.parametrize("items", _BORDERS)
@pytest.mark.parametrize("kind", ["f8", "f4", "f2", ">f8", ">f4", ">i4", "u1", "?", "M8[s]", "c16", "U3"])
def test_an_array_is_written_as_numpy_writes_it(kind: str, items: int) -> None:
    array = (np.random.default_rng(0).random(items) * 100).astype("i8").astype(kind)
    if np.dtype(kind).kind == "f":
        array = with_nans(f"f{array.itemsize}", items).astype(kind)
        array[:: max(items // 3, 1)] = -np.inf
    array.flags.writeable = False
    assert bytes(NpyCodec().encode(array)) == by_numpy(array)
    assert bytes(NpyCodec().encode(array[::-1])) == by_numpy(array[::-1])


@pytest.mark.parametrize("kind", ["f8", ">f4"])
def test_the_bits_of_a_nan_do_not_show_in_either_order_of_bytes(kind: str) -> None:
    array = np.arange(_BLOCK + 10.0).astype(kind)
    array[[3, _BLOCK + 1]] = np.nan
    other = array.copy()
    bits = other.view(other.dtype.str.replace("f", "u"))
    bits[3] |= 1
    bits[_BLOCK + 1] |= 1 << (8 * array.itemsize - 1)
    assert array.tobytes() != other.tobytes()
    assert bytes(NpyCodec().encode(array)) == bytes(NpyCodec().encode(other)) == by_numpy(array)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_matrix_of_several_blocks_comes_back(order: Any) -> None:
    matrix = np.array(with_nans("f8", 3 * _BLOCK).reshape(-1, 6), order=order)
    data = bytes(NpyCodec().encode(matrix))
    assert data == by_numpy(matrix)
    np.testing.assert_array_equal(NpyCodec().decode(data), matrix)


def test_an_array_in_order_is_not_copied() -> None:
    array = np.arange(3.0 * _BLOCK)
    pieces = list(NpyCodec().encode(array))
    assert all(np.shares_memory(np.frombuffer(piece, np.uint8), array) for piece in pieces[1:])


def test_padding_does_not_show_in_any_block() -> None:
    aligned = np.dtype([("a", "i1"), ("b", "f8")], align=True)
    array, other = np.zeros(_BLOCK + 2, aligned), np.zeros(_BLOCK + 2, aligned)
    other.view("u1").reshape(-1, aligned.itemsize)[:, 1] = 7
    assert array.tobytes() != other.tobytes()
    assert bytes(NpyCodec().encode(array)) == bytes(NpyCodec().encode(other))
