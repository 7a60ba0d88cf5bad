"""The in-memory store: for tests, and for runs that keep nothing."""

from __future__ import annotations

from typing import Any

from p2p.errors import StoreError
from p2p.model import MISS, ValueRef
from p2p.store.encoding import encode
from p2p.store.finding import as_described, forget, warn_once
from p2p.store.values import checked, file_name, loaded, missing


class MemoryStore:
    """Behaves as `DiskStore`, in a dict.

    Attributes:
        files: the stored bytes by file name.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def put(self, value: Any) -> ValueRef:
        ref, data = encode(value)
        if ref.codec is not None:
            self.files[file_name(ref)] = data
            forget(self._place(ref))
        return ref

    def get(self, ref: ValueRef) -> Any:
        return loaded(ref, self.bytes_of(ref))

    def find(self, ref: ValueRef) -> Any:
        if ref.codec is None:
            return MISS
        try:
            value = as_described(ref, self.bytes_of(ref))
        except StoreError as problem:
            warn_once(self._place(ref), problem)
            if problem.fields.get("damaged"):
                del self.files[file_name(ref)]
            return MISS
        forget(self._place(ref))
        return value

    def has(self, ref: ValueRef) -> bool:
        return ref.codec is not None and file_name(ref) in self.files

    def bytes_of(self, ref: ValueRef) -> bytes:
        name = file_name(ref)
        if name not in self.files:
            raise missing(ref, "in memory")
        return checked(ref, self.files[name], "in memory")

    def _place(self, ref: ValueRef) -> str:
        return f"memory {id(self)}: {ref.codec} {ref.digest}"
