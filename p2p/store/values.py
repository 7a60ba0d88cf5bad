"""What a value store is, and what every store checks."""

from __future__ import annotations

import re
from typing import Any, Protocol

from p2p.errors import StoreError
from p2p.model import ValueRef
from p2p.store.codecs import codec_named
from p2p.store.encoding import decode, digest_of
from p2p.store.pieces import Pieces

_DIGEST = re.compile(r"[0-9a-f]{64}")
_INLINE = "json"  # the codec of values that may stand in their reference: plain data, which runs nothing
_LONGEST_INLINE = 512  # bytes


class ValueStore(Protocol):
    """Values by the digest of their content."""

    def put(self, value: Any) -> ValueRef:
        """Stores a value. One that cannot be stored gives a reference without codec, which says why."""

    def get(self, ref: ValueRef) -> Any:
        """The value; raises StoreError when it is missing (`fields["missing"]`) or damaged (`fields["damaged"]`)."""

    def find(self, ref: ValueRef) -> Any:
        """The value, or MISS (with one warning) where `get` would raise or would give a value of another type."""

    def has(self, ref: ValueRef) -> bool:
        """Whether there are bytes for it; they are not read."""

    def bytes_of(self, ref: ValueRef) -> bytes:
        """The stored bytes, checked; raises like `get`."""


def file_name(ref: ValueRef) -> str:
    """`<digest><suffix>`: safe as a file name, whatever the reference's source wrote into it.

    Raises:
        StoreError: for a value that was not stored, or a reference that is malformed.
    """
    if ref.codec is None or ref.digest is None:
        raise StoreError(
            f"A value of type {ref.type} was never stored: {ref.reason or 'no codec takes it'}.",
            cure="Run the step that makes it again.",
            fields={"digest": None, "missing": True},
        )
    codec = codec_named(ref.codec)
    if codec is None or not _DIGEST.fullmatch(ref.digest):
        raise StoreError(
            f"A reference names codec {ref.codec!r:.40} and digest {ref.digest!r:.80}, which no store of p2p wrote.",
            cure="Run the step that makes the value again.",
            fields={"digest": ref.digest, "missing": True},
        )
    return f"{ref.digest}{codec.suffix}"


def checked(ref: ValueRef, data: bytes, place: str) -> bytes:
    """`data`, if its digest is the reference's."""
    if digest_of(data) != ref.digest:
        raise damaged(ref, place)
    return data


def damaged(ref: ValueRef, place: str) -> StoreError:
    """The error for bytes that are not those of the value."""
    return StoreError(
        f"The stored value {ref.digest} ({place}) is damaged: its bytes have another digest.",
        cure="Run the step that makes it again; that replaces the file.",
        fields={"digest": ref.digest, "damaged": True, "place": place},
    )


def inlined(ref: ValueRef, data: bytes | Pieces) -> ValueRef | None:
    """The reference with its value in it; None for a value that needs a file: it is long, or no plain data."""
    if ref.codec != _INLINE or len(data) > _LONGEST_INLINE:
        return None
    return ValueRef(ref.type, ref.codec, ref.digest, ref.nbytes, ref.shape, ref.preview, inline=bytes(data).decode())


def is_inline(ref: ValueRef) -> bool:
    """Whether the value stands in its reference."""
    return ref.inline is not None and ref.codec == _INLINE


def missing(ref: ValueRef, place: str) -> StoreError:
    """The error for a value whose bytes are not there."""
    return StoreError(
        f"The value {ref.digest} ({ref.type}) is not in the store ({place}).",
        cure="Run the step that makes it again, or restore the folder from a backup.",
        fields={"digest": ref.digest, "missing": True, "place": place},
    )


def loaded(ref: ValueRef, data: bytes) -> Any:
    """The value of bytes that were checked."""
    return decode(str(ref.codec), data)
