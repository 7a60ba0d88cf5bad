"""What lies in a store on disk, and taking out of it: never under the hands of a process that stores at that moment.

Whoever puts a value touches its file, or gives it its place, while it holds the store's lock together with others.
Whoever takes files out holds the lock alone and looks at each file's time again. So a file that was just stored, or
just found present, is young, and only old ones go.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from p2p.errors import StoreError
from p2p.files import locked
from p2p.store.codecs import CODECS
from p2p.store.disk import DAMAGED, LOCK
from p2p.store.encoding import digest_of
from p2p.store.reading import read_ordinary

_SUFFIXES = {codec.suffix: codec.name for codec in CODECS}
_NAME = re.compile(r"([0-9a-f]{64})(\.[a-z.]+)")
# `.writing-` began the names of unfinished files in earlier versions of p2p.
_UNFINISHED = re.compile(r"\..*\.tmp|\.writing-.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One value as it lies in the store.

    Attributes:
        used: when it was last stored, found or read; seconds since the epoch.
    """

    path: Path
    digest: str
    codec: str
    nbytes: int
    used: float


def stored_files(root: Path) -> Iterator[StoredFile]:
    """The values in the store at `root`; what does not have the name and place of a value is passed over."""
    for folder in folders(root):
        yield from values_in(folder)


def values_in(folder: Path) -> Iterator[StoredFile]:
    """The values in one of the store's folders."""
    for path, status in _entries(folder):
        match = _NAME.fullmatch(path.name)
        if match and match[2] in _SUFFIXES and folder.name == match[1][:2]:
            yield StoredFile(path, match[1], _SUFFIXES[match[2]], status.st_size, status.st_mtime)


def folders(root: Path) -> Iterator[Path]:
    """The folders in which values lie."""
    return (folder for folder in _folders(root) if folder.name != DAMAGED)


def remove(root: Path, files: Iterable[StoredFile], *, before: float) -> list[StoredFile]:
    """Remove those that nobody has used since `before`; gives the ones that are gone."""
    return [file for file in files if _remove_unused(root, file.path, before)]


def sweep(root: Path, *, before: float) -> tuple[int, int]:
    """Remove what killed processes left half written, and damaged values that were moved aside; count and bytes."""
    swept = [s.st_size for path, s in leftovers(root) if s.st_mtime < before and _remove_unused(root, path, before)]
    return len(swept), sum(swept)


def leftovers(root: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Unfinished files, and damaged values that were moved aside."""
    for folder in _folders(root):
        for path, status in _entries(folder):
            if folder.name == DAMAGED or _UNFINISHED.fullmatch(path.name):
                yield path, status


def damage(file: StoredFile) -> str:
    """What is wrong with a stored file; empty when nothing is, or when it is gone by now."""
    try:
        data = read_ordinary(file.path)
    except FileNotFoundError:
        return ""
    except OSError as error:
        return error.strerror or str(error)
    return "" if digest_of(data) == file.digest else "its bytes have another digest"


def _remove_unused(root: Path, path: Path, before: float) -> bool:
    try:
        with locked(root / LOCK):
            status = path.lstat()
            if status.st_mtime >= before:
                return False
            shutil.rmtree(path) if stat.S_ISDIR(status.st_mode) else path.unlink()
    except FileNotFoundError:  # another process was quicker
        return False
    except OSError as error:
        raise StoreError(
            f"{path} cannot be removed: {error.strerror}.",
            cure="Mend the permissions of the store, then prune again.",
            fields={"place": str(path), "errno": error.errno},
        ) from error
    return True


def _folders(root: Path) -> Iterator[Path]:
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        if len(folder.name) == 2 or folder.name == DAMAGED:
            yield folder


def _entries(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Everything in a folder, with its own status, not that of what it may link to."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                yield Path(entry.path), entry.stat(follow_symlinks=False)
