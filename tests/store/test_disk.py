"""What only the store on disk can get wrong."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from p2p.errors import StoreError
from p2p.model import MISS, ValueRef
from p2p.store import DiskStore
from p2p.store.encoding import digest_of
from tests.store.many import many_at_once


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_the_folder_is_made_with_the_first_value_and_is_private(tmp_path: Path) -> None:
    store = DiskStore(tmp_path / "deep" / "values")
    assert not store.root.exists()
    ref = store.put([1])
    assert store.root.stat().st_mode & 0o777 == 0o700
    assert store.path(ref).stat().st_mode & 0o077 == 0
    assert files(store.root) == [".lock", f"{ref.digest[:2]}/{ref.digest}.json"]


def test_the_name_is_the_digest_of_the_bytes(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    ref = store.put({"a": 1})
    assert store.path(ref).read_bytes() == b'{"a":1}'
    assert digest_of(b'{"a":1}') == ref.digest


def test_a_folder_open_to_others_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    DiskStore(tmp_path).put([1])
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_an_existing_value_is_not_written_again(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    before = store.path(store.put([1])).stat()
    assert store.path(store.put([1])).stat().st_ino == before.st_ino


@pytest.mark.parametrize("failing", ["os.write", "os.replace"])
def test_a_full_disk_leaves_nothing_and_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    store = DiskStore(tmp_path)

    def full(*_: Any) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(failing, full)
        with pytest.raises(StoreError, match=r"No space left on device; [\d,]+ bytes are free") as caught:
            store.put([1])
    assert str(tmp_path) in str(caught.value)
    assert caught.value.fields["errno"] == errno.ENOSPC
    assert files(tmp_path) in ([], [".lock"])


def test_an_interrupt_while_writing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        DiskStore(tmp_path).put([1])
    assert files(tmp_path) == [".lock"]


def test_a_place_that_cannot_be_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        DiskStore(tmp_path / "file" / "values").put([1])


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no owner ids on this system")
@pytest.mark.parametrize("value", [{1, 2}, (1,)])
def test_pickles_of_a_folder_that_others_can_write_to_are_not_loaded(tmp_path: Path, value: Any) -> None:
    store = DiskStore(tmp_path)
    ref, plain = store.put(value), store.put([1])
    tmp_path.chmod(0o770)
    with pytest.raises(StoreError, match="chmod 700"):
        store.get(ref)
    assert store.get(plain) == [1]


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no owner ids on this system")
def test_pickles_of_another_users_folder_are_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = DiskStore(tmp_path)
    ref = store.put({1, 2})
    monkeypatch.setattr("os.getuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(StoreError, match="runs code"):
        store.get(ref)


_PUT_MANY = """
import sys
import tracemalloc
from pathlib import Path
from p2p.store import DiskStore
store = DiskStore(Path(sys.argv[1]))
for number in range(300):
    ref = store.put(["x" * 5000, number % 50])
    assert store.get(ref)[1] == number % 50
"""


def test_two_processes_may_put_the_same_values_at_once(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)}
    command = [sys.executable, "-c", _PUT_MANY, str(tmp_path / "values")]
    running = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) for _ in range(2)]
    for process in running:
        assert process.communicate()[1] == b""
        assert process.returncode == 0
    stored = [name for name in files(tmp_path / "values") if name != ".lock"]
    assert len(stored) == 50
    assert all(name.endswith(".json") and ".tmp" not in name for name in stored)


def test_a_folder_that_vanishes_while_a_value_is_written_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, real = DiskStore(tmp_path / "values"), os.write
    vanished: list[int] = []

    def write(descriptor: int, data: Any) -> int:
        if not vanished:
            vanished.append(descriptor)
            shutil.rmtree(store.root)
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", write)
    assert store.get(store.put([1])) == [1]
    assert vanished


def test_processes_some_of_them_killed_leave_a_sound_store(tmp_path: Path) -> None:
    """The soak (tests/soak/test_store_soak.py) does the same at length."""
    worked = many_at_once(tmp_path, processes=4, operations=60, killed=1, seed=7)
    assert (worked.wrong, worked.errors, worked.killed) == ([], [], 1)
    assert worked.done.total() == 3 * 60


# --- values that stand in their references ----------------------------------------------------------------------------


@pytest.fixture
def open_store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "values", inline=lambda text: "swordfish" not in text)


@pytest.mark.parametrize("value", [7, -1.5, None, True, "äöü", [1, {"a": [2.5]}], float("inf"), "\x00\n"])
def test_a_short_plain_value_needs_no_file(open_store: DiskStore, value: object) -> None:
    ref = ValueRef.from_dict(json.loads(json.dumps(open_store.put(value).as_dict())))
    assert not open_store.root.exists()
    assert open_store.has(ref)
    assert (open_store.get(ref), open_store.find(ref)) == (value, value)
    assert DiskStore(open_store.root).get(ref) == value, "whoever has the reference has the value"


def test_it_has_the_digest_that_its_file_would_have(open_store: DiskStore, tmp_path: Path) -> None:
    assert replace(open_store.put([1, 2]), inline=None) == DiskStore(tmp_path / "other").put([1, 2])


@pytest.mark.parametrize("value", ["x" * 600, (1, 2), b"bytes", "a swordfish", {1, 2}])
def test_what_is_long_or_not_plain_or_not_to_be_shown_goes_to_a_file(open_store: DiskStore, value: object) -> None:
    ref = open_store.put(value)
    assert ref.inline is None
    assert "inline" not in ref.as_dict()
    assert open_store.path(ref).exists()
    assert open_store.get(ref) == value


def test_a_damaged_reference_gives_no_value(open_store: DiskStore, caplog: pytest.LogCaptureFixture) -> None:
    ref = replace(open_store.put(7), inline="8")
    assert open_store.find(ref) is MISS
    assert "counts as missing" in caplog.text
    with pytest.raises(StoreError, match="damaged"):
        open_store.get(ref)


def test_no_reference_makes_code_run(open_store: DiskStore) -> None:
    ref = replace(open_store.put((1, 2)), inline="cos\nsystem\n(S'true'\ntR.")
    assert ref.codec == "pickle"
    assert open_store.get(ref) == (1, 2)  # from its file


HARMS = {
    "a wrong byte": lambda path: path.write_bytes(b"[2]"),
    "cut short": lambda path: path.write_bytes(b"["),
    "gone": lambda path: path.unlink(),
    "a link": lambda path: (path.rename(path.with_suffix(".other")), path.symlink_to(path.with_suffix(".other"))),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("harm", HARMS)
def test_verifying_a_value_says_what_getting_it_would(tmp_path: Path, harm: str) -> None:
    store = DiskStore(tmp_path / "values")
    ref = store.put([1])
    store.verify(ref)
    HARMS[harm](store.path(ref))
    told = []
    for ask in (store.get, store.verify):
        with pytest.raises(StoreError) as caught:
            ask(ref)
        told.append((caught.value.message, caught.value.cure, caught.value.fields))
    assert told[0] == told[1]


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="Windows has no owner ids")
def test_verifying_refuses_code_from_a_folder_that_others_can_write_to(tmp_path: Path) -> None:
    store = DiskStore(tmp_path / "values")
    code, plain = store.put({1, 2}), store.put([1])
    store.root.chmod(0o777)
    store.verify(plain)
    with pytest.raises(StoreError, match="loading runs code"):
        store.verify(code)


def test_a_value_that_is_verified_is_young(tmp_path: Path) -> None:
    store = DiskStore(tmp_path / "values")
    ref = store.put([1])
    os.utime(store.path(ref), (1, 1))
    store.verify(ref)
    assert store.path(ref).stat().st_mtime > 1


def test_a_value_that_stands_in_its_reference_is_verified_there(tmp_path: Path) -> None:
    store = DiskStore(tmp_path / "values", inline=lambda _text: True)
    ref = store.put([1])
    store.verify(ref)
    with pytest.raises(StoreError, match="is damaged"):
        store.verify(replace(ref, inline="[2]"))


def test_a_large_file_is_checked_without_being_in_memory(tmp_path: Path) -> None:
    store, value = DiskStore(tmp_path / "values"), np.arange(2_000_000.0)
    ref = store.put(value)
    for check in (lambda: store.verify(ref), lambda: store.put(value)):
        tracemalloc.start()
        check()
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < value.nbytes / 8
