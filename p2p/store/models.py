"""Pydantic models as JSON with the name of their class."""

from __future__ import annotations

import json
import sys
from typing import Any

from p2p.store.naming import importable, resolve


class PydanticCodec:
    """`{"type": "module:qualname", "data": {...}}` for models of classes that can be imported.

    The outer braces are written with spaces, the JSON codec writes none: a dict of the same content has other bytes.
    """

    name = "pydantic"
    suffix = ".model.json"

    def accepts(self, value: Any) -> bool:
        pydantic: Any = sys.modules.get("pydantic")
        if pydantic is None or not isinstance(value, pydantic.BaseModel) or not importable(type(value)):
            return False
        return not _holds_set(value.model_dump()) and _survives(self, value)

    def encode(self, value: Any) -> bytes:
        kind = type(value)
        data = value.model_dump_json(by_alias=False, exclude=set(kind.model_computed_fields))
        return f'{{"type": {json.dumps(f"{kind.__module__}:{kind.__qualname__}")}, "data": {data}}}'.encode()

    def decode(self, data: bytes) -> Any:
        from pydantic import BaseModel

        stored = json.loads(data)
        kind = resolve(stored["type"])
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            raise TypeError(f"{stored['type']} is no pydantic model")
        return kind.model_validate_json(json.dumps(stored["data"]), by_alias=False, by_name=True)


def _survives(codec: PydanticCodec, value: Any) -> bool:
    """Whether decoding gives an equal model: it does not for `Any` fields with tuples, excluded fields, secrets."""
    try:
        again = codec.decode(codec.encode(value))
        # 1 == 1.0 == True: the reprs tell them apart.
        return bool(again == value) and again.model_fields_set == value.model_fields_set and repr(again) == repr(value)
    except Exception:  # noqa: BLE001 - a model's own serializers and validators may raise anything
        return False


def _holds_set(data: Any) -> bool:
    """Whether there is a set inside: JSON would list it in the order of this process's hash seed."""
    if isinstance(data, (set, frozenset)):
        return True
    if isinstance(data, dict):
        return any(_holds_set(item) for item in data.values())
    return isinstance(data, (list, tuple)) and any(_holds_set(item) for item in data)
