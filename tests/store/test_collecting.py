"""What lies in a store, and taking out of it under the hands of others."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from p2p.errors import StoreError
from p2p.files import locked
from p2p.model import MISS, ValueRef
from p2p.store import DiskStore
from p2p.store.collecting import StoredFile, damage, leftovers, remove, stored_files, sweep


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "values")


def age(path: Path, seconds: float = 7200) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then), follow_symlinks=False)


def old(store: DiskStore, value: object) -> tuple[ValueRef, StoredFile]:
    """A value that nobody has used for two hours, as it is listed."""
    ref = store.put(value)
    age(store.path(ref))
    return ref, next(file for file in stored_files(store.root) if file.digest == ref.digest)


def hour_ago() -> float:
    return time.time() - 3600


def test_values_are_listed_with_codec_size_and_use_and_nothing_else_is(store: DiskStore) -> None:
    refs = [store.put([1]), store.put({1, 2})]
    folder = store.path(refs[0]).parent
    (folder / "notes.txt").write_text("mine")
    (folder / f"{'0' * 64}.json").write_text("in another value's folder" if folder.name != "00" else "")
    found = {(file.digest, file.codec, file.nbytes) for file in stored_files(store.root)}
    assert found == {(ref.digest, ref.codec, ref.nbytes) for ref in refs}
    assert all(abs(file.used - time.time()) < 60 for file in stored_files(store.root))


def test_only_old_files_are_removed(store: DiskStore) -> None:
    (first, one), young = old(store, [1]), store.put([2])
    files = list(stored_files(store.root))
    assert remove(store.root, files, before=hour_ago()) == [one]
    assert store.find(first) is MISS
    assert store.find(young) == [2]


@pytest.mark.parametrize("use", ["put", "get", "find", "has"])
def test_a_value_that_was_used_after_it_was_listed_stays(store: DiskStore, use: str) -> None:
    ref, file = old(store, ["x"])
    store.put(["x"]) if use == "put" else getattr(store, use)(ref)
    assert remove(store.root, [file], before=hour_ago()) == []
    assert store.get(ref) == ["x"]


def test_a_put_that_waits_for_a_removal_stores_the_value_anew(store: DiskStore) -> None:
    ref, file = old(store, ["x"])
    putting = threading.Thread(target=store.put, args=(["x"],))
    with locked(store.root / ".lock"):  # as the removal holds it
        putting.start()
        putting.join(0.2)
        assert putting.is_alive()
        file.path.unlink()
    putting.join(10)
    assert store.get(ref) == ["x"]


def test_a_removal_waits_for_a_put(store: DiskStore) -> None:
    _, file = old(store, ["x"])
    removed: list[StoredFile] = []
    removing = threading.Thread(target=lambda: removed.extend(remove(store.root, [file], before=hour_ago())))
    with locked(store.root / ".lock", shared=True):
        removing.start()
        removing.join(0.2)
        assert removing.is_alive()
        os.utime(file.path)
    removing.join(10)
    assert removed == []


def test_a_removed_value_is_missing_and_said_to_be(store: DiskStore) -> None:
    ref, file = old(store, ["x"])
    remove(store.root, [file], before=hour_ago())
    assert remove(store.root, [file], before=hour_ago()) == []
    with pytest.raises(StoreError) as caught:
        store.get(ref)
    assert caught.value.fields["missing"] is True


def test_what_killed_processes_left_is_swept_when_it_is_old(store: DiskStore) -> None:
    ref = store.put([1])
    folder = store.path(ref).parent
    rests = [folder / ".abc.x1.tmp", folder / ".writing-1", store.root / "damaged" / "value.json"]
    rests[2].parent.mkdir()
    for rest in rests:
        rest.write_bytes(b"12345")
    for rest in rests[:2]:
        age(rest)
    folder_aside = store.root / "damaged" / "folder"
    (folder_aside / "inner").mkdir(parents=True)
    age(folder_aside)
    assert {path for path, _ in leftovers(store.root)} == {*rests, folder_aside}
    assert sweep(store.root, before=hour_ago())[0] == 3
    assert [path for path, _ in leftovers(store.root)] == [rests[2]]
    assert store.get(ref) == [1]


def test_a_link_is_removed_and_not_what_it_points_to(store: DiskStore, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep")
    ref, file = old(store, [1])
    file.path.unlink()
    file.path.symlink_to(tmp_path / "mine")
    age(file.path)
    assert "is a link" in damage(file)
    assert [listed.used < hour_ago() for listed in stored_files(store.root)] == [True]
    assert remove(store.root, [file], before=hour_ago()) == [file]
    assert (tmp_path / "mine").read_text() == "keep"
    assert not store.has(ref)


def test_damage_is_named(store: DiskStore) -> None:
    _, file = old(store, [1])
    assert damage(file) == ""
    file.path.write_bytes(b"[2]")
    assert "another digest" in damage(file)
    file.path.unlink()
    assert damage(file) == ""


def test_a_folder_that_cannot_be_changed_is_named(store: DiskStore, monkeypatch: pytest.MonkeyPatch) -> None:
    _, file = old(store, [1])

    def refused(_path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(StoreError, match=f"{file.digest}.*Permission denied"):
        remove(store.root, [file], before=hour_ago())


def test_no_store_is_an_empty_one(tmp_path: Path) -> None:
    assert list(stored_files(tmp_path / "none")) == []
    assert sweep(tmp_path / "none", before=time.time()) == (0, 0)
    assert not (tmp_path / "none").exists()
