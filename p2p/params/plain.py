"""Plain data: exactly str, int, float, bool, None, and lists and dicts of them. Nothing else enters a notebook."""

from __future__ import annotations

import datetime
import enum
import json
from collections import deque
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any, Final

from pydantic import BaseModel, Secret, SecretBytes, SecretStr
from pydantic_core import PydanticSerializationError, to_jsonable_python

from p2p.secrets import MASK

SCALARS: Final = (str, int, float, bool, type(None))
SECRETS: Final = (SecretStr, SecretBytes, Secret)
COLLECTIONS: Final = (list, tuple, set, frozenset, deque)
DEPTH: Final = 100
LARGEST: Final = 14_000  # bits of an int: Python turns no number of more than 4,300 digits into text


def is_plain(value: Any) -> bool:
    """Whether a value is plain data already, by exact type all the way down, with text as keys."""
    if type(value) is list:
        return all(is_plain(item) for item in value)
    if type(value) is dict:
        return all(type(key) is str and is_plain(item) for key, item in value.items())
    return type(value) in SCALARS


def plain(value: Any) -> Any:
    """The value as plain data: dates in ISO form, paths and decimals as text, secrets masked, sets in order.

    What has no plain form is named by its type only: `<module.Class>`.
    """
    if type(value) is int and value.bit_length() > LARGEST:
        return f"<an int of {value.bit_length():,} bits>"
    if type(value) in SCALARS:
        return value
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, SECRETS):
        return MASK
    if isinstance(value, BaseModel):
        return plain(value.model_dump(by_alias=True, warnings=False))
    if isinstance(value, dict):
        return {_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return _in_order([plain(item) for item in value])
    if isinstance(value, COLLECTIONS):
        return [plain(item) for item in value]
    return _leaf(value)


def _leaf(value: Any) -> Any:
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, PurePath):
        return str(value)
    base = next((base for base in (int, float, str) if isinstance(value, base)), None)
    if base is not None:
        # By the base class's own method: a subclass may answer anything.
        return {int: int.__int__, float: float.__float__, str: str.__str__}[base](value)
    try:
        return to_jsonable_python(value)
    except (PydanticSerializationError, ValueError):
        return f"<{type(value).__module__}.{type(value).__qualname__}>"


def _in_order(items: list[Any]) -> list[Any]:
    """One order for equal sets, whatever the hash seed."""
    try:
        return sorted(items)
    except TypeError:
        return sorted(items, key=lambda item: (type(item).__name__, json.dumps(item)))


def _key(key: Any) -> str:
    text = plain(key)
    return text if type(text) is str else json.dumps(text)


def secret_texts(value: Any) -> Iterator[str]:
    """The real text of every secret inside a value, at any depth."""
    if isinstance(value, SECRETS):
        secret = value.get_secret_value()
        yield secret.decode("utf-8", "replace") if isinstance(secret, bytes) else str(secret)
    elif isinstance(value, BaseModel):
        yield from secret_texts(dict(value))
    elif isinstance(value, dict):
        for item in (*value.keys(), *value.values()):
            yield from secret_texts(item)
    elif isinstance(value, COLLECTIONS):
        for item in value:
            yield from secret_texts(item)


def refusal(value: Any, allowed: frozenset[type]) -> str:
    """Why a given value may not be a parameter: it holds something that is neither plain nor of an allowed type.

    Types are compared exactly: a subclass of int may print itself as anything. Empty when there is no reason.
    """
    if reason := _unwritable(value, DEPTH):
        return reason
    found = _stranger(value, allowed, DEPTH)
    if found is RecursionError:
        return f"is nested deeper than {DEPTH} levels"
    if found is None:
        return ""
    name = found.__qualname__ if found.__module__ == "builtins" else f"{found.__module__}.{found.__qualname__}"
    return f"may not hold a value of type {name}; give plain text, numbers, true/false, null, lists or mappings"


def _stranger(value: Any, allowed: frozenset[type], depth: int) -> type | None:
    kind = type(value)
    if depth == 0:
        return RecursionError
    if kind is dict:
        inside = [*value.keys(), *value.values()]
    elif kind is list or (kind in allowed and kind in COLLECTIONS):
        inside = list(value)
    elif kind in SCALARS or kind in allowed or (Path in allowed and kind is type(Path())):
        return None
    else:
        return kind
    found = (_stranger(item, allowed, depth - 1) for item in inside)
    return next((stranger for stranger in found if stranger is not None), None)


def _unwritable(value: Any, depth: int) -> str:
    """Why plain data cannot be written into a notebook or a database: a number or a text in it."""
    if depth == 0:
        return ""
    if type(value) is str and not is_unicode(value):
        return "holds a lone surrogate, which is no valid text"
    if type(value) is int and value.bit_length() > LARGEST:
        return f"holds a number of {value.bit_length():,} bits, more than can be written down"
    inside = [*value.keys(), *value.values()] if type(value) is dict else value if type(value) is list else []
    return next((reason for item in inside if (reason := _unwritable(item, depth - 1))), "")


def is_unicode(text: str) -> bool:
    """Whether a text can be written: no half of a character is in it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
