"""What an annotation says: the classes it names, its bounds and choices, and whether it holds secrets."""

from __future__ import annotations

import enum
import types
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from p2p.params.plain import SECRETS, plain

# One word per bound, as pydantic's Field calls them.
BOUNDS: Final = (
    "gt",
    "ge",
    "lt",
    "le",
    "multiple_of",
    "min_length",
    "max_length",
    "pattern",
    "max_digits",
    "decimal_places",
)


def core(annotation: Any) -> Any:
    """The annotation without `Annotated`, type aliases and new types around it."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif type(annotation).__name__ == "TypeAliasType":  # `type X = ...`, new in 3.12
            annotation = annotation.__value__
        elif hasattr(annotation, "__supertype__"):
            annotation = annotation.__supertype__
        else:
            return annotation


def members(annotation: Any) -> tuple[Any, ...]:
    """What a union allows, or the annotation alone; each without its wrapping."""
    inner = core(annotation)
    if get_origin(inner) not in (Union, types.UnionType):
        return (inner,)
    return tuple(member for part in get_args(inner) for member in members(part))


def is_text(annotation: Any) -> bool:
    """Whether a command line's text is the value itself: `str` or `SecretStr`, bounds or not."""
    return core(annotation) in (str, SecretStr)


def kinds(annotation: Any) -> frozenset[type]:
    """Every class that the annotation names, at any depth; `Any` names none."""
    inner = core(annotation)
    origin = get_origin(inner)
    if origin is Literal:
        return frozenset(type(value) for value in get_args(inner))
    found = frozenset(kind for kind in (inner, origin) if isinstance(kind, type))
    return found.union(*(kinds(part) for part in get_args(inner)))


def holds_secret(annotation: Any, seen: frozenset[type] = frozenset()) -> bool:
    """Whether a secret may be anywhere inside: then no value of it is ever shown."""
    for kind in kinds(annotation) - seen:
        if issubclass(kind, SECRETS):
            return True
        fields = kind.model_fields.values() if issubclass(kind, BaseModel) else ()
        if any(holds_secret(field.annotation, seen | {kind}) for field in fields):
            return True
    return False


def bounds(annotation: Any) -> dict[str, Any]:
    """Bounds and choices as plain data, for forms and help: `{"ge": 1, "le": 12}`, `{"choices": ["a", "b"]}`."""
    found: dict[str, Any] = {}
    for mark in _marks(annotation):
        found.update({word: _bound(getattr(mark, word)) for word in BOUNDS if getattr(mark, word, None) is not None})
    choices = [choice for member in members(annotation) for choice in _choices(member)]
    return {**found, "choices": choices} if choices else found


def _bound(value: Any) -> Any:
    return plain(getattr(value, "pattern", value))


def _choices(member: Any) -> list[Any]:
    if get_origin(member) is Literal:
        return [plain(value) for value in get_args(member)]
    if isinstance(member, type) and issubclass(member, enum.Enum):
        return [plain(value) for value in member]
    return []


def _marks(annotation: Any) -> Iterator[Any]:
    """The marks of `Annotated` that hold for the whole value, those inside a union included."""
    if type(annotation).__name__ == "TypeAliasType":
        annotation = annotation.__value__
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        yield from _marks(inner)
        for mark in marks:
            yield from mark.metadata if isinstance(mark, FieldInfo) else [mark]
    elif get_origin(annotation) in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from _marks(part)
