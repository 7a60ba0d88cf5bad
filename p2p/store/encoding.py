"""From a value to its reference and bytes, and back, without any store."""

from __future__ import annotations

import dataclasses
import io
import types
from collections.abc import Callable, Iterator
from typing import Any

from p2p.errors import StoreError
from p2p.model import ValueRef
from p2p.store.codecs import CODECS, FORMER, codec_named
from p2p.store.describing import describe
from p2p.store.pieces import Pieces

_CODE = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, type)
_ONCE = (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)
_LONGEST_REASON = 500
# Which item of a value cannot be stored is found by trying: not worth it in a list of millions.
_MOST_TRIALS = 10_000


def encode(value: Any) -> tuple[ValueRef, bytes]:
    """The reference of a value and the bytes to store, as `in_pieces`."""
    ref, data = _encoded(value, bytes)
    return ref, bytes(data)


def identify(value: Any) -> ValueRef:
    """The reference of a value, as `in_pieces`."""
    return in_pieces(value)[0]


def content_digest(value: Any) -> str | None:
    """The digest of a value alone, without what its reference shows; None where no codec can write it."""
    return _written(value, lambda data: data).digest


def in_pieces(value: Any) -> tuple[ValueRef, bytes | Pieces]:
    """The reference of a value and the bytes to store, on the value's own memory where they lie there.

    A value that no codec can write has no bytes; its reference has no codec and says why, with the place inside the
    value where that can be told.
    """
    return _encoded(value, lambda data: data)


_Form = Callable[[bytes | Pieces], bytes | Pieces]


@dataclasses.dataclass(frozen=True)
class _Written:
    """What a codec has made of a value; without one, why there is none."""

    codec: str | None = None
    digest: str | None = None
    data: bytes | Pieces = b""
    reason: str = ""


def _encoded(value: Any, form: _Form) -> tuple[ValueRef, bytes | Pieces]:
    """As `in_pieces`, of the codec's bytes in another form: of those that are copied anyway, the copy is digested."""
    ref, found = describe(value), _written(value, form)
    if found.codec is None:
        return dataclasses.replace(ref, reason=found.reason), b""
    return ValueRef(ref.type, found.codec, found.digest, len(found.data), ref.shape, ref.preview), found.data


def _written(value: Any, form: _Form) -> _Written:
    reason = _never_stored(value)
    if reason:
        return _Written(reason=reason)
    problem: Exception | None = None
    for codec in CODECS:
        try:
            if codec.accepts(value):
                data = form(codec.encode(value))
                return _Written(codec.name, digest_of(data), data)
        except Exception as error:  # noqa: BLE001 - a value's own code runs here and may raise anything: the next codec may do
            problem = error
    return _Written(reason=_explain(value, problem))


def decode(codec: str, data: bytes) -> Any:
    """The value that `data` is, in the codec of that name.

    Raises:
        StoreError: for an unknown codec, or bytes that do not load in this process.
    """
    known = codec_named(codec)
    if known is None:
        raise StoreError(f"Codec '{codec}' is unknown.", cure="Read it with the version of p2p that wrote it.")
    try:
        return known.decode(data)
    except Exception as error:  # what unpickling imports and calls may raise anything
        raise StoreError(
            f"A stored {codec} value does not load: {type(error).__name__}: {error}.",
            cure="Install the packages it was made with, define its class first, or run the step again.",
            fields={"codec": codec, "damaged": False},
        ) from error


def by_former(value: Any) -> Iterator[ValueRef]:
    """The references that earlier versions gave to a value, by codecs that are no longer used."""
    for former in FORMER:
        if former.accepts(value):
            data = former.encode(value)
            yield dataclasses.replace(describe(value), codec=former.name, digest=digest_of(data), nbytes=len(data))


def digest_of(data: bytes | Pieces) -> str:
    """BLAKE3 as 64 hex digits."""
    from blake3 import blake3

    if isinstance(data, bytes):
        return str(blake3(data).hexdigest())
    hashed = blake3()
    for piece in data:
        hashed.update(piece)
    return str(hashed.hexdigest())


def _never_stored(value: Any) -> str:
    if isinstance(value, types.ModuleType):
        return f"value: module '{value.__name__}' is code, not a value"
    if isinstance(value, _CODE):
        return f"value: '{getattr(value, '__name__', 'it')}' is code (a function or class), not a value"
    if isinstance(value, _ONCE):
        return f"value: a {type(value).__name__} can be read only once"
    if isinstance(value, io.IOBase) and not isinstance(value, (io.BytesIO, io.StringIO)):
        return f"value: an open file ({type(value).__name__}) belongs to this process"
    return ""


def _explain(value: Any, problem: Exception | None) -> str:
    """Why `value` cannot be stored: the deepest place that fails by itself, and what it says."""
    place, seen, trials = "value", {id(value)}, _MOST_TRIALS
    if isinstance(problem, RecursionError):
        return "value: it is nested too deeply"
    found: tuple[str, Any, Exception] | None = ("", value, problem or TypeError("no codec takes it"))
    while found is not None:
        step, value, problem = found
        place += step
        found = None
        for step, part in _parts(value):
            trials -= 1
            failure = None if id(part) in seen or trials < 0 else _failure(part)
            seen.add(id(part))
            if failure is not None:
                found = (step, part, failure)
                break
    return f"{place}: {problem or type(problem).__name__}"[:_LONGEST_REASON]


def _failure(part: Any) -> Exception | None:
    try:
        CODECS[-1].encode(part)
    except Exception as error:  # noqa: BLE001 - as in `encode`
        return error
    return None


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """What is inside a value, each with the text that leads to it."""
    if isinstance(value, dict):
        yield from ((f"[{key!r:.60}]", item) for key, item in value.items())
    elif isinstance(value, (list, tuple)):
        yield from ((f"[{position}]", item) for position, item in enumerate(value))
    elif isinstance(value, (set, frozenset)):
        yield from ((" (an item)", item) for item in value)
    elif getattr(getattr(value, "dtype", None), "kind", "") == "O" and hasattr(value, "ravel"):
        yield from ((f".flat[{position}]", item) for position, item in enumerate(value.ravel()))
    fields = getattr(value, "__dict__", None)
    if isinstance(fields, dict) and not isinstance(value, type):
        yield from ((f".{name}", item) for name, item in fields.items())
