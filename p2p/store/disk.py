"""The store on disk: one private folder, a file a value, named by its digest."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from p2p.errors import StoreError
from p2p.model import ValueRef
from p2p.store.codecs import RUNS_CODE
from p2p.store.encoding import digest_of, encode
from p2p.store.files import write_whole
from p2p.store.values import checked, file_name, loaded, missing


class DiskStore:
    """Files `<root>/<two hex digits>/<digest><suffix>`, written whole or not at all, checked on every read.

    Args:
        root: the folder; made, for this user alone, with the first value.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def put(self, value: Any) -> ValueRef:
        """Stores a value, or finds that it is there already; a damaged file is replaced.

        Raises:
            StoreError: when the disk does not take it.
        """
        ref, data = encode(value)
        if ref.codec is not None and not self._has_whole(ref):
            self._open()
            write_whole(self.path(ref), data)
        return ref

    def get(self, ref: ValueRef) -> Any:
        """The value.

        Raises:
            StoreError: it is missing, damaged, or would run code from a folder that others can write to.
        """
        data = self.bytes_of(ref)
        if ref.codec in RUNS_CODE:
            self._refuse_foreign()
        return loaded(ref, data)

    def has(self, ref: ValueRef) -> bool:
        """Whether its file is there; the content is not read."""
        return ref.codec is not None and self.path(ref).is_file()

    def path(self, ref: ValueRef) -> Path:
        """Where its file is or would be."""
        name = file_name(ref)
        return self.root / name[:2] / name

    def bytes_of(self, ref: ValueRef) -> bytes:
        """The stored bytes, checked."""
        path = self.path(ref)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise missing(ref, str(path)) from None
        except OSError as error:
            raise StoreError(
                f"The value {ref.digest} cannot be read from {path}: {error.strerror}.",
                cure="Check the folder's permissions and disk.",
                fields={"digest": ref.digest, "place": str(path)},
            ) from error
        return checked(ref, data, str(path))

    def _has_whole(self, ref: ValueRef) -> bool:
        path = self.path(ref)
        try:
            return path.stat().st_size == ref.nbytes and digest_of(path.read_bytes()) == ref.digest
        except OSError:
            return False

    def _open(self) -> None:
        """Makes the folder and keeps others out of it."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_mine(self.root) and _others_may(self.root):
                self.root.chmod(0o700)
        except OSError as error:
            raise StoreError(
                f"The value store {self.root} cannot be made: {error.strerror}.",
                cure="Check the permissions of the folder above it, or set another place.",
                fields={"place": str(self.root)},
            ) from error

    def _refuse_foreign(self) -> None:
        if _is_mine(self.root) and not _others_may(self.root, stat.S_IWGRP | stat.S_IWOTH):
            return
        raise StoreError(
            f"A pickled value in {self.root} was not loaded: loading runs code, and others can write to that folder.",
            cure=f"If you trust what is in it, make it yours alone: chown and chmod 700 {self.root}.",
            fields={"place": str(self.root), "foreign": True},
        )


def _is_mine(folder: Path) -> bool:
    # Windows has no owner ids; its folders under the user's profile are private by default.
    return not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()


def _others_may(folder: Path, bits: int = stat.S_IRWXG | stat.S_IRWXO) -> bool:
    return hasattr(os, "getuid") and bool(folder.stat().st_mode & bits)
