"""The codecs, in order of preference. A new one is a class with these methods and an entry in `CODECS`."""

from __future__ import annotations

from typing import Any, Protocol

from p2p.store.arrays import NpyCodec
from p2p.store.canonical import PickleCodec
from p2p.store.figures import PngCodec
from p2p.store.frames import FormerFrameCodec, FrameCodec
from p2p.store.models import PydanticCodec
from p2p.store.pieces import Pieces
from p2p.store.plain import JsonCodec


class Codec(Protocol):
    """One typed format. Its bytes must not be the bytes of another codec: a digest stands for one value.

    Attributes:
        name: what a reference calls it.
        suffix: the file's suffix.
    """

    name: str
    suffix: str

    def accepts(self, value: Any) -> bool:
        """Whether the codec is one for this value."""

    def encode(self, value: Any) -> bytes | Pieces:
        """The bytes: the same ones for equal values. Raises where they would not give it back: the next is asked."""

    def decode(self, data: bytes) -> Any:
        """The value."""


CODECS: tuple[Codec, ...] = (JsonCodec(), PydanticCodec(), NpyCodec(), FrameCodec(), PngCodec(), PickleCodec())

# What earlier versions wrote, and nobody writes any more; versions of pipelines know values by these digests too.
FORMER: tuple[Codec, ...] = (FormerFrameCodec(),)

# Decoding these can run code that the bytes name, so only a store that this user alone can write to may do it.
RUNS_CODE = frozenset({"pickle", "pydantic"})


def codec_named(name: str) -> Codec | None:
    """The codec of that name, None if there is none."""
    return next((codec for codec in (*CODECS, *FORMER) if codec.name == name), None)
