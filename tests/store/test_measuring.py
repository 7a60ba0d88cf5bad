"""The size of a store: right after every change, and without a look at folders in which nothing has changed."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from p2p.model import ValueRef
from p2p.store import DiskStore, measuring
from p2p.store.collecting import stored_files
from p2p.store.measuring import SIZES, size_of

MANY = 300


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "values")


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders that were looked into."""
    names: list[str] = []
    really = measuring.values_in

    def noted(folder: Path) -> Any:
        names.append(folder.name)
        return really(folder)

    monkeypatch.setattr(measuring, "values_in", noted)
    return names


def settle(store: DiskStore) -> None:
    """Let all folders be as old as they would be in a minute."""
    then = time.time() - 60
    for folder in store.root.iterdir():
        os.utime(folder, (then, then))


def really(store: DiskStore) -> int:
    return sum(file.nbytes for file in stored_files(store.root))


def filled(store: DiskStore) -> list[ValueRef]:
    refs = [store.put([number]) for number in range(MANY)]
    settle(store)
    return refs


def test_only_folders_that_have_changed_are_looked_into(store: DiskStore, looked: list[str]) -> None:
    filled(store)
    assert size_of(store.root) == really(store)
    assert len(looked) > MANY / 3
    looked.clear()
    assert size_of(store.root) == really(store)
    assert looked == []
    new = store.put(["another"])
    assert size_of(store.root) == really(store)
    assert looked == [store.path(new).parent.name]


def test_a_folder_that_has_just_changed_is_looked_into_again(store: DiskStore, looked: list[str]) -> None:
    """What changes it once more within a tick of the disk's clock leaves it with the same time."""
    name = store.path(store.put([1])).parent.name
    assert [size_of(store.root), size_of(store.root)] == [really(store)] * 2
    assert looked == [name] * 2


def test_values_that_have_gone_are_not_counted(store: DiskStore) -> None:
    first, second, *_ = filled(store)
    size_of(store.root)
    store.path(first).unlink()
    assert size_of(store.root) == really(store)
    for path in store.path(second).parent.iterdir():
        path.unlink()
    store.path(second).parent.rmdir()
    assert size_of(store.root) == really(store)


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"00": 1}', b'{"00": ["a", 1]}', b"\xff"])
def test_a_damaged_note_costs_a_look(store: DiskStore, looked: list[str], damage: bytes) -> None:
    filled(store)
    size_of(store.root)
    looked.clear()
    (store.root / SIZES).write_bytes(damage)
    assert size_of(store.root) == really(store)
    assert looked


def test_a_store_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert size_of(tmp_path / "none") == 0
    assert not (tmp_path / "none").exists()
