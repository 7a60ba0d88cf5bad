"""Reading one file of a store: an ordinary file or nothing, and who else could have written it."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


_PART = 1 << 18  # bytes that are read at once, so that they are digested while they are in the processor's cache


class NoOrdinaryFile(OSError):
    """A link, a folder or a pipe lies where a value should."""


def read_ordinary(path: Path) -> bytes:
    """The content of an ordinary file; no link is followed, and no pipe is waited for."""
    with _opened(path) as file:
        return file.read()


def digest_of_file(path: Path) -> str:
    """BLAKE3 of the content of an ordinary file, as 64 hex digits; no more than a part of it is in memory at a time."""
    from blake3 import blake3

    hashed, part = blake3(), memoryview(bytearray(_PART))
    with _opened(path) as file:
        while size := file.readinto(part):
            hashed.update(part[:size])
    return str(hashed.hexdigest())


@contextmanager
def _opened(path: Path) -> Iterator[io.FileIO]:
    if path.is_symlink():
        raise NoOrdinaryFile(f"{path} is a link")
    descriptor = os.open(path, _FLAGS)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NoOrdinaryFile(f"{path} is no file")
        with io.FileIO(descriptor, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)


def is_mine(folder: Path) -> bool:
    """Whether this user owns it."""
    # Windows has no owner ids; its folders under the user's profile are private by default.
    return not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()


def others_may(folder: Path, bits: int = stat.S_IRWXG | stat.S_IRWXO) -> bool:
    """Whether its mode gives others one of these rights."""
    return hasattr(os, "getuid") and bool(folder.stat().st_mode & bits)
