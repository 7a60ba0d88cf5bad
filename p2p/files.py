"""Writing a file so that it is whole or not there, and locking one against other processes."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

from p2p.errors import StoreError

Buffer = bytes | memoryview


class Pieced(Protocol):
    """The bytes of a file in pieces, in their order."""

    def __iter__(self) -> Iterator[memoryview]: ...

    def __len__(self) -> int:
        """How many bytes there are in all."""
        ...


_LOCK_INTERVAL = 0.05  # seconds between two tries
_LONGEST_HINT = 40  # of the file's own name in that of the temporary file, whose length is limited too


def write_atomic(
    path: Path,
    data: bytes | str | Pieced,
    *,
    sync: bool = True,
    mode: int = 0o644,
    placing: AbstractContextManager[object] | None = None,
) -> None:
    """Write `data` to `path` through a temporary file beside it; readers see the old file or the new one.

    Args:
        path: the file; folders above it are made.
        data: its content, or its pieces; text is written as UTF-8.
        sync: wait until the disk has it, so that it also survives a power cut.
        mode: its permissions.
        placing: held while the new file takes its place.

    Raises:
        StoreError: the disk does not take it; names the path, the size and the free space. Nothing was changed.
    """
    payload = data.encode() if isinstance(data, str) else data
    pieces = [payload] if isinstance(payload, bytes) else payload
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _temporary(path, pieces, sync=sync) as temporary:
            temporary.chmod(mode)
            with placing or nullcontext():
                temporary.replace(path)
    except OSError as error:
        raise _not_written(path, len(payload), error) from error


def append_whole(path: str, descriptor: int, data: bytes) -> int:
    """Append `data` by one system call to the file at `path`, which `descriptor` has open; gives where the data ends.

    Raises:
        StoreError: the disk does not take the whole of it; never a silent half.
    """
    try:
        written = os.write(descriptor, data)
    except OSError as error:
        raise _not_written(Path(path), len(data), error) from error
    if written != len(data):
        raise _not_written(Path(path), len(data), OSError(errno.ENOSPC, f"only {written} of {len(data)} bytes fit"))
    return os.lseek(descriptor, 0, os.SEEK_CUR)


def open_to_append(path: str) -> int:
    """A descriptor of the file at `path`, which is made for this user alone where it is not there.

    Raises:
        StoreError: it cannot be opened.
        FileNotFoundError: its folder is not there.
    """
    try:
        return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _not_written(Path(path), 0, error) from error


def move_whole(source: Path, target: Path) -> None:
    """Give a finished folder its place, all at once; both lie on the same disk.

    Raises:
        StoreError: it cannot be put there, or something is there already. Nothing was changed.
    """
    try:
        source.rename(target)
    except OSError as error:
        size = sum(path.stat().st_size for path in source.rglob("*") if path.is_file())
        raise _not_written(target, size, error) from error


@contextmanager
def locked(path: Path, *, shared: bool = False, wait: float | None = None) -> Iterator[bool]:
    """Hold the lock file at `path` in the block.

    Args:
        path: the lock file; it is made, and so are the folders above it, and it is never removed.
        shared: `shared` locks go together.
        wait: seconds to wait for those who have it; until they let go when not given.

    Yields:
        Whether the lock is held: False when others still had it after `wait` seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    got = False
    try:
        got = _lock(descriptor, "LOCK_SH" if shared else "LOCK_EX", wait)
        yield got
    finally:
        if got:
            with contextlib.suppress(OSError):
                _lock(descriptor, "LOCK_UN", None)  # closing is not enough: a forked process may have it open too
        os.close(descriptor)


def _lock(descriptor: int, how: str, wait: float | None) -> bool:
    """Whether the lock could be taken within `wait` seconds."""
    try:
        import fcntl
    except ImportError:  # Windows has no flock: whoever opens the file may go on
        return True
    operation = getattr(fcntl, how)
    if wait is None:
        fcntl.flock(descriptor, operation)
        return True
    limit = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= limit:
                return False
            time.sleep(_LOCK_INTERVAL)
        else:
            return True


def make_folder(path: Path, *, mode: int = 0o777) -> None:
    """Make a folder and those above it, unless it is there; raises StoreError, naming the free space."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=mode)
    except OSError as error:
        raise _not_written(path, 0, error) from error


@contextmanager
def _temporary(path: Path, pieces: Iterable[Buffer], *, sync: bool) -> Iterator[Path]:
    """A file of this content beside `path`; removed unless the block moves it away."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:_LONGEST_HINT]}.", suffix=".tmp")
    try:
        try:
            _fill(descriptor, pieces, sync=sync)
        finally:
            os.close(descriptor)
        yield Path(name)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _fill(descriptor: int, pieces: Iterable[Buffer], *, sync: bool) -> None:
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    if sync:
        os.fsync(descriptor)


def _not_written(path: Path, size: int, error: OSError) -> StoreError:
    free = _free_space(path)
    room = f"{free:,} bytes are free" if free is not None else "the free space is unknown"
    return StoreError(
        f"{path} ({size:,} bytes) cannot be written: {error.strerror or error}; {room}.",
        cure="Free some space or mend the permissions, then run again.",
        fields={"place": str(path), "nbytes": size, "free": free, "errno": error.errno},
    )


def _free_space(path: Path) -> int | None:
    for folder in path.parents:
        with contextlib.suppress(OSError):
            return shutil.disk_usage(folder).free
    return None
