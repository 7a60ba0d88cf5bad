"""A wrong byte is a miss and one warning, never a value; and no code runs that somebody else may have put there."""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from p2p.model import MISS, ValueRef
from p2p.store import DiskStore, MemoryStore
from p2p.store.encoding import digest_of
from tests.store.damage import DamagedStore, small_values, warnings_of

OWNERS = pytest.mark.skipif(not hasattr(os, "getuid"), reason="no owner ids on this system")


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "values")


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    return lambda: warnings_of(caplog)


@pytest.mark.parametrize("value", [None, [1], {"a"}, (1, 2)])
def test_a_sound_value_is_found_without_a_word(store: DiskStore, warnings: Callable[[], list[str]], value: Any) -> None:
    for one in (store, MemoryStore()):
        assert one.find(one.put(value)) == value
    assert warnings() == []


@pytest.mark.parametrize("name", list(small_values()))
def test_any_flipped_byte_and_any_truncation_is_a_miss_and_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    damaged = DamagedStore(tmp_path, small_values()[name])
    size = len(damaged.whole)
    for position in range(0, size, max(1, size // 25)):
        assert damaged.find(damaged.flipped(position, 1 << position % 8)) is MISS
    for part in range(0, 64, 9):
        assert damaged.find(damaged.whole[: size * part // 64]) is MISS
    assert len(warnings_of(caplog)) == damaged.tried
    assert damaged.is_found_when_put_again()


def test_one_damage_is_told_once_and_the_next_one_again(store: DiskStore, warnings: Callable[[], list[str]]) -> None:
    ref = store.put([1, 2])
    for _ in range(2):
        store.path(ref).write_bytes(b"[1,3]")
        assert [store.find(ref), store.find(ref), DiskStore(store.root).find(ref)] == [MISS] * 3
        assert store.put([1, 2]) == ref
        assert store.find(ref) == [1, 2]
    assert len(warnings()) == 2
    assert all("damaged" in text for text in warnings())


def test_a_damaged_file_is_moved_aside(store: DiskStore) -> None:
    ref = store.put([1, 2])
    store.path(ref).write_bytes(b"[1,3]")
    store.find(ref)
    assert not store.has(ref)
    assert (store.root / "damaged" / store.path(ref).name).read_bytes() == b"[1,3]"


def test_a_file_that_was_mended_meanwhile_stays(store: DiskStore) -> None:
    ref = store.put([1, 2])
    assert store.set_aside(store.path(ref), ref.digest) is False
    assert store.has(ref)


def test_a_missing_value_or_folder_is_told_once(store: DiskStore, warnings: Callable[[], list[str]]) -> None:
    first, second = store.put([1]), store.put([2])
    store.path(first).unlink()
    shutil.rmtree(store.path(second).parent)
    assert [store.find(ref) for ref in (first, second, first)] == [MISS] * 3
    assert len(warnings()) == 2
    shutil.rmtree(store.root)
    assert store.find(store.put([2])) == [2]


def test_what_was_never_stored_is_a_miss_without_a_word(store: DiskStore, warnings: Callable[[], list[str]]) -> None:
    assert store.find(store.put(print)) is MISS
    assert MemoryStore().find(ValueRef("int")) is MISS
    assert warnings() == []


def test_swapped_files_are_misses(store: DiskStore, warnings: Callable[[], list[str]]) -> None:
    one, other = store.put([1]), store.put([2])
    paths = store.path(one), store.path(other)
    contents = [path.read_bytes() for path in paths]
    for path, content in zip(paths, reversed(contents), strict=True):
        path.write_bytes(content)
    assert [store.find(one), store.find(other)] == [MISS, MISS]
    assert len(warnings()) == 2


@pytest.mark.parametrize("codec", ["npy", "arrow", "pickle", "pydantic"])
def test_bytes_of_another_codec_are_a_miss(store: DiskStore, warnings: Callable[[], list[str]], codec: str) -> None:
    ref = store.put([1, 2])
    other = replace(ref, codec=codec)
    store.path(ref).rename(store.path(other))
    assert store.find(other) is MISS
    assert len(warnings()) == 1
    assert store.path(other).exists()  # its bytes are sound: another version of p2p may read them


def test_a_codec_that_this_version_does_not_know_is_a_miss(store: DiskStore, warnings: Callable[[], list[str]]) -> None:
    ref = replace(store.put([1]), codec="zarr9")
    assert [store.find(ref), store.find(ref)] == [MISS, MISS]
    assert len(warnings()) == 1


def test_a_value_of_another_type_than_the_reference_says_is_a_miss(
    store: DiskStore, warnings: Callable[[], list[str]]
) -> None:
    ref = store.put([1])
    assert store.find(replace(ref, type="builtins.dict")) is MISS
    assert len(warnings()) == 1


def test_a_link_or_a_pipe_in_a_files_place_is_a_miss(
    store: DiskStore, warnings: Callable[[], list[str]], tmp_path: Path
) -> None:
    for number, place in enumerate(("link", "pipe", "folder")):
        ref = store.put([number])
        path = store.path(ref)
        path.rename(tmp_path / place)
        if place == "link":
            path.symlink_to(tmp_path / place)
        elif place == "pipe":
            os.mkfifo(path)
        else:
            path.mkdir()
        assert store.find(ref) is MISS, place
        assert store.find(store.put([number])) == [number], place
    assert len(warnings()) == 3


class Bomb:
    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.place),)


def exploded(store: DiskStore) -> bool:
    return (store.root.parent / "exploded").exists()


def planted(store: DiskStore) -> ValueRef:
    """A reference to a pickle that runs code when it is loaded, digest and all: as another user could plant it."""
    data = pickle.dumps(Bomb(store.root.parent / "exploded"))
    ref = ValueRef("tests.Bomb", "pickle", digest_of(data), len(data))
    store.put([1])
    store.path(ref).parent.mkdir(exist_ok=True)
    store.path(ref).write_bytes(data)
    return ref


@OWNERS
def test_nothing_of_a_folder_that_others_can_write_to_is_used(
    store: DiskStore, warnings: Callable[[], list[str]]
) -> None:
    bomb, plain = planted(store), store.put([1])
    for mode in (0o770, 0o707):
        store.root.chmod(mode)
        assert [store.find(bomb), store.find(plain)] == [MISS, MISS]
    assert not exploded(store)
    assert len(warnings()) == 1
    assert store.has(plain)


@OWNERS
def test_nothing_of_another_users_folder_is_used(
    store: DiskStore, warnings: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb, plain = planted(store), store.put([1])
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)
    assert [store.find(bomb), store.find(plain)] == [MISS, MISS]
    assert not exploded(store)
    assert "another user" in warnings()[0]


@OWNERS
def test_a_folder_of_values_that_is_a_link_is_not_followed(
    store: DiskStore, warnings: Callable[[], list[str]], tmp_path: Path
) -> None:
    ref = store.put([1])
    folder = store.path(ref).parent
    folder.rename(tmp_path / "else")
    folder.symlink_to(tmp_path / "else")
    assert store.find(ref) is MISS
    assert "is a link" in warnings()[0]


def test_a_pickle_of_the_right_digest_in_ones_own_folder_is_loaded(store: DiskStore) -> None:
    """The tests above would prove nothing if the bomb did not work."""
    assert store.find(planted(store)) is MISS  # None is no Bomb
    assert exploded(store)
