"""What every store does; run against the one on disk and the one in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from p2p.errors import StoreError
from p2p.model import ValueRef
from p2p.store import DiskStore, MemoryStore, difference
from tests.store import made
from tests.store.example_models import Scores

Store = DiskStore | MemoryStore


@pytest.fixture(params=["disk", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return DiskStore(tmp_path / "values") if request.param == "disk" else MemoryStore()


def change(store: Store, ref: ValueRef, data: bytes | None) -> None:
    """Puts other bytes, or none, where the value is stored."""
    if isinstance(store, DiskStore):
        path = store.path(ref)
        path.unlink() if data is None else path.write_bytes(data)
        return
    name = next(name for name in store.files if name.startswith(str(ref.digest)))
    store.files.pop(name)
    if data is not None:
        store.files[name] = data


@pytest.mark.parametrize("kind", ["plain", "models", "arrays", "frames", "pickled"])
def test_what_was_put_can_be_got(store: Store, kind: str) -> None:
    for name, value in getattr(made, kind)().items():
        ref = store.put(value)
        assert store.has(ref), name
        assert len(store.bytes_of(ref)) == ref.nbytes
        assert difference(store.get(ref), value) is None, name
        assert ValueRef.from_dict(ref.as_dict()) == ref


def test_equal_values_have_one_digest(store: Store) -> None:
    assert store.put({"a": [1]}) == store.put({"a": [1]})


def test_none_is_a_value(store: Store) -> None:
    assert store.get(store.put(None)) is None


@pytest.mark.parametrize("value", [[1, 2, 3], {"a"}, made.arrays()["ints"], made.frames()["mixed"]])
def test_one_wrong_bit_is_never_a_value(store: Store, value: Any) -> None:
    ref = store.put(value)
    whole = store.bytes_of(ref)
    for position in range(0, len(whole), max(1, len(whole) // 20)):
        damaged = bytearray(whole)
        damaged[position] ^= 1
        change(store, ref, bytes(damaged))
        with pytest.raises(StoreError, match=str(ref.digest)) as caught:
            store.get(ref)
        assert caught.value.fields["damaged"] is True
        assert caught.value.fields["digest"] == ref.digest


def test_putting_a_value_again_mends_its_damage(store: Store) -> None:
    ref = store.put(["text"])
    change(store, ref, b'["tExt"]')
    assert store.put(["text"]) == ref
    assert store.get(ref) == ["text"]


def test_a_missing_value_is_named_with_its_cure(store: Store) -> None:
    ref = store.put([1])
    change(store, ref, None)
    assert not store.has(ref)
    with pytest.raises(StoreError, match=f"{ref.digest}.*again") as caught:
        store.get(ref)
    assert caught.value.fields["missing"] is True
    assert not caught.value.fields.get("damaged")


def test_a_value_that_cannot_be_stored_leaves_nothing_and_says_why(store: Store) -> None:
    ref = store.put(len)
    assert (ref.codec, ref.digest, ref.nbytes) == (None, None, 0)
    assert not store.has(ref)
    with pytest.raises(StoreError, match="never stored: value: 'len' is code"):
        store.get(ref)


@pytest.mark.parametrize("digest", ["../../../etc/passwd", "0" * 63, "Z" * 64, "", "0" * 64 + "\n"])
def test_a_forged_reference_reaches_no_file(store: Store, digest: str) -> None:
    with pytest.raises(StoreError, match="which no store of p2p wrote"):
        store.bytes_of(ValueRef(type="builtins.list", codec="json", digest=digest))


def test_a_reference_of_an_unknown_codec_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="'yaml'"):
        store.get(ValueRef(type="builtins.list", codec="yaml", digest="0" * 64))


def test_bytes_that_no_longer_load_are_a_store_error(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = store.put(Scores(auc=1, when="2026-01-02"))
    monkeypatch.delattr("tests.store.example_models.Scores")
    with pytest.raises(StoreError, match=r"pydantic value does not load: AttributeError"):
        store.get(ref)
