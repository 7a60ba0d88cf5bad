from __future__ import annotations

import errno
import os
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from p2p.errors import StoreError
from p2p.files import locked, make_folder, move_whole, write_atomic


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_with_its_folders_and_readable_by_others(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.txt"
    write_atomic(path, "größer")
    assert path.read_bytes() == "größer".encode()
    assert path.stat().st_mode & 0o777 == 0o644


def test_the_mode_can_be_chosen(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a", b"", mode=0o600)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS])
@pytest.mark.parametrize("call", ["open", "write", "fsync", "chmod", "replace"])
def test_a_write_that_fails_is_told_and_leaves_the_old_file_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    path = tmp_path / "a.txt"
    write_atomic(path, b"old")

    def fails(*_arguments: Any, **_options: Any) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fails)
        with pytest.raises(StoreError, match=rf"{os.strerror(code)}; [\d,]+ bytes are free") as caught:
            write_atomic(path, b"newer")
    assert str(path) in str(caught.value)
    assert "(5 bytes)" in str(caught.value)
    assert caught.value.fields["errno"] == code
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.txt"]


def test_a_disk_that_takes_a_part_at_a_time_gets_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, bytes(data[:3])))
    write_atomic(tmp_path / "a", b"0123456789")
    assert (tmp_path / "a").read_bytes() == b"0123456789"


def test_values_and_small_state_do_not_wait_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    write_atomic(tmp_path / "a", b"x", sync=False)
    assert synced == []
    write_atomic(tmp_path / "a", b"x")
    assert len(synced) == 1


def test_an_interrupt_leaves_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(tmp_path / "a", b"x")
    assert names(tmp_path) == []


def test_a_name_of_the_longest_length_can_be_written(tmp_path: Path) -> None:
    write_atomic(tmp_path / ("n" * 255), b"x")
    assert names(tmp_path) == ["n" * 255]


def test_a_symbolic_link_is_replaced_and_what_it_points_to_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "else").write_bytes(b"not ours")
    (tmp_path / "a").symlink_to(tmp_path / "else")
    write_atomic(tmp_path / "a", b"x")
    assert (tmp_path / "else").read_bytes() == b"not ours"
    assert not (tmp_path / "a").is_symlink()


def test_shared_locks_go_together_and_an_exclusive_one_waits(tmp_path: Path) -> None:
    lock, got = tmp_path / ".lock", threading.Event()

    def take() -> None:
        with locked(lock):
            got.set()

    with locked(lock, shared=True), locked(lock, shared=True):
        waiting = threading.Thread(target=take)
        waiting.start()
        assert not got.wait(0.1)
    waiting.join(10)
    assert got.is_set()


def test_who_waits_for_so_long_is_told_that_he_has_no_lock(tmp_path: Path) -> None:
    lock = tmp_path / "made" / ".lock"
    with locked(lock, wait=0) as mine:
        began = time.monotonic()
        with locked(lock, wait=0.2) as others:
            assert (mine, others) == (True, False)
        assert time.monotonic() - began >= 0.2
        with locked(lock, wait=0) as still:
            assert not still  # the one that was not got was not let go of either
    with locked(lock, wait=0) as free:
        assert free


def test_a_lock_ends_with_its_block_also_where_a_child_was_forked_in_it(tmp_path: Path) -> None:
    lock, got = tmp_path / ".lock", threading.Event()
    with locked(lock):
        mine = [int(entry.name) for entry in Path("/proc/self/fd").iterdir() if entry.resolve() == lock.resolve()]
        child = subprocess.Popen(["sleep", "30"], pass_fds=mine)
    threading.Thread(target=_take, args=(lock, got), daemon=True).start()
    try:
        assert got.wait(5)
    finally:
        child.kill()
        child.wait()


def _take(lock: Path, got: threading.Event) -> None:
    with locked(lock):
        got.set()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"file/a .*cannot be written.*bytes are free"):
        make_folder(tmp_path / "file" / "a")


def test_a_folder_is_moved_whole_and_never_over_another(tmp_path: Path) -> None:
    for name in ("made", "taken"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    with pytest.raises(StoreError, match=r"taken \(4 bytes\) cannot be written: .*not empty"):
        move_whole(tmp_path / "made", tmp_path / "taken")
    assert (tmp_path / "taken" / "file").read_text() == "taken"
    move_whole(tmp_path / "made", tmp_path / "v1")
    assert (tmp_path / "v1" / "file").read_text() == "made"
