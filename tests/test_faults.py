"""The tests' own tool: file operations that fail."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from p2p.errors import StoreError
from p2p.files import write_atomic
from tests.faults import failing, setting


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_operations_below_a_folder_are_counted(tmp_path: Path) -> None:
    with failing(0, errno.EIO, below=tmp_path / "a") as faults:
        write_atomic(tmp_path / "a" / "x", b"1")
        write_atomic(tmp_path / "b" / "x", b"1")
        (tmp_path / "a" / "y").write_text("2")
        (tmp_path / "a" / "y").read_text()
        (tmp_path / "a" / "y").rename(tmp_path / "a" / "z")
    assert [name for name, _place in faults.calls] == ["open", "write", "fsync", "replace", "open", "rename"]
    assert faults.failed == 0


def test_each_operation_can_be_made_to_fail_and_only_that_one(tmp_path: Path) -> None:
    for nth in range(1, 5):
        with failing(nth, errno.ENOSPC, below=tmp_path) as faults:
            with pytest.raises(StoreError, match="No space left"):
                write_atomic(tmp_path / "x", b"1")
            write_atomic(tmp_path / "y", b"1")
        assert faults.failed == 1
        assert names(tmp_path) == ["y"]
    with failing(5, errno.ENOSPC, below=tmp_path) as faults:
        write_atomic(tmp_path / "x", b"1")
    assert faults.failed == 0


def test_a_disk_can_stay_full(tmp_path: Path) -> None:
    with failing(2, errno.ENOSPC, below=tmp_path, lasting=True):
        for _ in range(3):
            with pytest.raises(StoreError):
                write_atomic(tmp_path / "x", b"1")
    assert names(tmp_path) == []


def test_afterwards_everything_is_as_it_was(tmp_path: Path) -> None:
    before = os.open, os.replace, open
    with failing(1, errno.EIO):
        pass
    assert (os.open, os.replace, open) == before


def test_a_process_of_its_own_can_have_faults(tmp_path: Path) -> None:
    code = "import sys, tests.faults; from pathlib import Path; (Path(sys.argv[1]) / 'x').write_text('1')"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **setting(1, errno.EIO, below=tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], env=environment, capture_output=True, text=True, check=False
    )
    assert "OSError: [Errno 5]" in done.stderr
    assert names(tmp_path) == []
