"""Short texts by key, in append-only files: what is too small, and too often written, for a file each.

A folder of up to 16 files `<hex digit>.log`, one entry a line: key, digest of key and text, text. A line is written by
one system call and begins with a line break too, so that what a crash or a full disk has cut short damages no other
entry. The newest entry of a key counts. Nothing waits for the disk: a power cut may lose the last ones.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from blake3 import blake3

from p2p.files import append_whole, open_to_append, write_atomic

_LINE = re.compile(rb"([0-9a-f]{64}) ([0-9a-f]{32}) (.*)")
_KEY = 64  # characters
_SHORTEST = _KEY + 1 + 32 + 1


class Damaged(Exception):
    """An entry is there and is not what was written."""


class Ledger:
    """The entries in a folder.

    Args:
        folder: where the files lie; made, for this user alone, with the first entry.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[str, _File] = {}

    def find(self, key: str) -> bytes | None:
        """The newest text under a key of 64 hex digits; None where there is none.

        Raises:
            Damaged: there is one, and its bytes have another digest. The next call does not know it any more.
        """
        return self._file(key).find(key.encode())

    def add(self, key: str, text: bytes) -> None:
        """Put a text, without line breaks, under a key.

        Raises:
            StoreError: the disk does not take it.
        """
        self._file(key).add(key.encode(), text)

    def entries(self) -> Iterator[tuple[str, bytes]]:
        """The newest sound text of each key."""
        for path in _paths(self.folder):
            yield from ((key.decode(), text) for key, text in _sound(path).items())

    def drop(self, keys: Collection[str]) -> None:
        """Remove entries, and all that newer ones have replaced; what is added meanwhile may be lost."""
        for path in _paths(self.folder):
            found = _sound(path)
            if any(key.decode() in keys for key in found):
                lines = [_line(key, text) + b"\n" for key, text in found.items() if key.decode() not in keys]
                write_atomic(path, b"".join(lines), sync=False, mode=0o600)

    def _file(self, key: str) -> _File:
        name = key[0]
        if name not in self._files:
            self._files[name] = _File(f"{self.folder}/{name}.log")
        return self._files[name]


class _File:
    """One of the files, and where in it the newest entry of each key lies; read on as it grows.

    It stays open for writing, as opening it takes longer than all else about a line; somebody may put another file in
    its place, so each call looks whether it is the one at that path.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._inode = 0
        self._read = 0
        self._places: dict[bytes, tuple[int, int]] = {}
        self._descriptor: int | None = None
        self._opened = 0  # the inode that the descriptor has open

    def find(self, key: bytes) -> bytes | None:
        self._read_on()
        if key not in self._places:
            return None
        start, length = self._places[key]
        match = _LINE.fullmatch(self._bytes(start, length))
        if match is None or match[1] != key or match[2] != _digest(key, match[3]):
            del self._places[key]
            raise Damaged(key.decode())
        return match[3]

    def add(self, key: bytes, text: bytes) -> None:
        self._look()
        if self._descriptor is None or self._opened != self._inode:
            self._open()
        assert self._descriptor is not None
        line = _line(key, text)
        end = append_whole(self.path, self._descriptor, b"\n%b\n" % line)
        if self._opened == self._inode and end == self._read + len(line) + 2:  # nobody else has written in between
            self._places[key] = (self._read + 1, len(line))
            self._read = end

    def _open(self) -> None:
        self._close()
        try:
            self._descriptor = open_to_append(self.path)
        except FileNotFoundError:
            Path(self.path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._descriptor = open_to_append(self.path)
        self._opened = os.fstat(self._descriptor).st_ino
        self._look()

    def _look(self) -> int:
        """The file's size; where it is not the one that was read, nothing of it is known from here on."""
        try:
            found = os.stat(self.path)  # noqa: PTH116  # a Path costs more than the look
            inode, size = found.st_ino, found.st_size
        except OSError:
            inode, size = 0, 0
        if inode != self._inode or size < self._read:
            self._inode, self._read, self._places = inode, 0, {}
        return size

    def _read_on(self) -> None:
        size = self._look()
        if size > self._read:
            self._take(self._bytes(self._read, size - self._read))

    def _bytes(self, start: int, length: int) -> bytes:
        with open(self.path, "rb", buffering=0) as file:  # noqa: PTH123  # see `_look`
            file.seek(start)
            return file.read(length) or b""

    def _take(self, data: bytes) -> None:
        whole = data.rfind(b"\n") + 1  # what comes after it is still being written
        start = 0
        while start < whole:
            end = data.index(b"\n", start)
            if end - start >= _SHORTEST:
                self._places[data[start : start + _KEY]] = (self._read + start, end - start)
            start = end + 1
        self._read += whole

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    __del__ = _close


def _line(key: bytes, text: bytes) -> bytes:
    return b"%b %b %b" % (key, _digest(key, text), text)


def _digest(key: bytes, text: bytes) -> bytes:
    return blake3(key + text).hexdigest(length=16).encode()


def _paths(folder: Path) -> list[Path]:
    return sorted(folder.glob("?.log"))


def _sound(path: Path) -> dict[bytes, bytes]:
    """The newest sound text of each key in a file."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return {}
    matches = (_LINE.fullmatch(line) for line in lines)
    return {m[1]: m[3] for m in matches if m is not None and m[2] == _digest(m[1], m[3])}
