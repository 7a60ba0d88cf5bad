"""The store on disk: one private folder, a file a value, named by its digest."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from p2p.errors import StoreError
from p2p.files import locked, write_atomic
from p2p.model import MISS, ValueRef
from p2p.store.codecs import RUNS_CODE
from p2p.store.encoding import in_pieces
from p2p.store.finding import as_described, forget, warn_once
from p2p.store.pieces import Pieces
from p2p.store.reading import NoOrdinaryFile, digest_of_file, is_mine, others_may, read_ordinary
from p2p.store.values import checked, damaged, file_name, inlined, is_inline, loaded, missing

LOCK = ".lock"
DAMAGED = "damaged"
_TRIES = 5


class DiskStore:
    """Files `<root>/<two hex digits>/<digest><suffix>`, written whole or not at all, checked on every read.

    A file's time of change says when its value was last used. Whoever stores or finds a value touches its file under
    the shared lock; whoever removes files holds the lock alone and leaves young ones.

    Args:
        root: the folder; made, for this user alone, with the first value.
        inline: tells whether a short text may stand in the reference to it, and so in journals, in place of a file;
            none may, when not given.
    """

    def __init__(self, root: Path, *, inline: Callable[[str], bool] | None = None) -> None:
        self.root = Path(root)
        self._inline = inline

    def put(self, value: Any) -> ValueRef:
        """Stores a value, or finds that it is there already; a damaged file is replaced.

        Raises:
            StoreError: when the disk does not take it.
        """
        ref, data = in_pieces(value)
        if ref.codec is None:
            return ref
        if self._inline is not None:
            short = inlined(ref, data)
            if short is not None and self._inline(str(short.inline)):
                return short
        path = self.path(ref)
        if not (self._is_whole(path, str(ref.digest)) and self._use(path)):
            self._write(path, data)
        forget(str(path))
        return ref

    def get(self, ref: ValueRef) -> Any:
        """The value.

        Raises:
            StoreError: it is missing, damaged, or would run code from a folder that others can write to.
        """
        data = self.bytes_of(ref)
        if ref.codec in RUNS_CODE:
            self._refuse_foreign()
        if not is_inline(ref):
            _touch(self.path(ref))
        return loaded(ref, data)

    def verify(self, ref: ValueRef) -> None:
        """Makes sure that `get` would find the right bytes, and may decode them; a large file is not held in memory.

        Raises:
            StoreError: as `get`, unless the bytes are right and do not load.
        """
        if is_inline(ref):
            self.bytes_of(ref)
            return
        path = self.path(ref)
        with self._telling(ref, path):
            if digest_of_file(path) != ref.digest:
                raise damaged(ref, str(path))
        if ref.codec in RUNS_CODE:
            self._refuse_foreign()
        _touch(path)

    def find(self, ref: ValueRef) -> Any:
        """The value, or MISS with one warning where it cannot be trusted; a damaged file is moved aside."""
        if ref.codec is None:
            return MISS
        place = f"{self.root}: {ref.codec} {ref.digest}"
        try:
            if is_inline(ref):
                return as_described(ref, self.bytes_of(ref))
            path = self.path(ref)
            place = str(path)
            self._refuse_links(path)
            data = self.bytes_of(ref)
            self._refuse_foreign()
            if not self._use(path):
                raise missing(ref, place)
            value = as_described(ref, data)
        except StoreError as problem:
            self._miss(ref, place, problem)
            return MISS
        forget(place)
        return value

    def has(self, ref: ValueRef) -> bool:
        """Whether its bytes are there; a file is not read."""
        return is_inline(ref) or (ref.codec is not None and self._use(self.path(ref)))

    def path(self, ref: ValueRef) -> Path:
        """Where its file is or would be."""
        name = file_name(ref)
        return self.root / name[:2] / name

    def bytes_of(self, ref: ValueRef) -> bytes:
        """The stored bytes, checked."""
        if is_inline(ref):
            return checked(ref, str(ref.inline).encode("utf-8", "surrogatepass"), "in its reference")
        path = self.path(ref)
        with self._telling(ref, path):
            return checked(ref, read_ordinary(path), str(path))

    @contextmanager
    def _telling(self, ref: ValueRef, path: Path) -> Iterator[None]:
        """In the block, what keeps a file from being read is told as an error of the store."""
        try:
            yield
        except (FileNotFoundError, NotADirectoryError):
            raise missing(ref, str(path)) from None
        except NoOrdinaryFile as error:
            raise StoreError(
                f"The stored value {ref.digest} is damaged: {error}.",
                cure="Run the step that makes it again; that replaces it.",
                fields={"digest": ref.digest, "damaged": True, "place": str(path)},
            ) from None
        except OSError as error:
            raise StoreError(
                f"The value {ref.digest} cannot be read from {path}: {error.strerror}.",
                cure="Check the folder's permissions and disk.",
                fields={"digest": ref.digest, "place": str(path)},
            ) from error

    def set_aside(self, path: Path, digest: str) -> bool:
        """Move a damaged file out of the way; False when it was mended or moved meanwhile."""
        aside = self.root / DAMAGED / path.name
        aside.parent.mkdir(mode=0o700, exist_ok=True)
        with locked(self.root / LOCK):
            if self._is_whole(path, digest) or not os.path.lexists(path):
                return False
            path.rename(aside)
        return True

    def _miss(self, ref: ValueRef, place: str, problem: StoreError) -> None:
        moved = True
        if problem.fields.get("damaged") and not is_inline(ref):
            try:
                moved = self.set_aside(Path(place), str(ref.digest))
            except OSError:
                moved = True
        if moved:  # else another process has moved it, and told of it
            warn_once(str(self.root) if problem.fields.get("foreign") else place, problem)

    def _is_whole(self, path: Path, digest: str) -> bool:
        try:
            return digest_of_file(path) == digest
        except OSError:
            return False

    def _use(self, path: Path) -> bool:
        """Make a file young, so that nobody removes it under our hands; False where there is none."""
        try:
            with locked(self.root / LOCK, shared=True):
                return _touch(path)
        except OSError:  # there is no store, or it is not ours to change
            return path.is_file()

    def _write(self, path: Path, data: bytes | Pieces) -> None:
        for tries_left in reversed(range(_TRIES)):
            self._open()
            try:
                write_atomic(path, data, sync=False, mode=0o600, placing=locked(self.root / LOCK, shared=True))
            except StoreError as error:
                if error.fields["errno"] != errno.ENOENT or not tries_left:
                    raise  # else the unfinished file was cleared away, or the whole folder was, under our hands
            else:
                return

    def _open(self) -> None:
        """Makes the folder and keeps others out of it."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            if is_mine(self.root) and others_may(self.root):
                self.root.chmod(0o700)
        except OSError as error:
            raise StoreError(
                f"The value store {self.root} cannot be made: {error.strerror}.",
                cure="Check the permissions of the folder above it, or set another place.",
                fields={"place": str(self.root)},
            ) from error

    def _refuse_links(self, path: Path) -> None:
        if path.parent.is_symlink():
            raise StoreError(f"{path.parent} is a link, and values are not read through links.")

    def _refuse_foreign(self) -> None:
        if not is_mine(self.root):
            who = "it belongs to another user"
        elif others_may(self.root, stat.S_IWGRP | stat.S_IWOTH):
            who = "others can write to that folder"
        else:
            return
        raise StoreError(
            f"A pickled value in {self.root} was not loaded: loading runs code, and {who}.",
            cure=f"If you trust what is in it, make it yours alone: chown and chmod 700 {self.root}.",
            fields={"place": str(self.root), "foreign": True},
        )


def _touch(path: Path) -> bool:
    """Note that a file is used; False where there is none."""
    try:
        os.utime(path, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # not ours to change: others remove nothing of it either
        return path.is_file()
    return True
