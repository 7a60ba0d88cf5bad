"""Pydantic models as JSON with the name of their class."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from p2p.store.naming import importable, resolve


class PydanticCodec:
    """`{"type": "module:qualname", "data": {...}, "unset": [...]}` for models of classes that can be imported.

    `unset` lists, for the model and each model inside it, the fields that were left at their defaults.

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
        name, unset = f"{kind.__module__}:{kind.__qualname__}", [_unset(model) for model in _models(value)]
        return f'{{"type": {json.dumps(name)}, "data": {data}, "unset": {json.dumps(unset)}}}'.encode()

    def decode(self, data: bytes) -> Any:
        from pydantic import BaseModel

        stored = json.loads(data)
        kind = resolve(stored["type"])
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            raise TypeError(f"{stored['type']} is no pydantic model")
        value = kind.model_validate_json(json.dumps(stored["data"]), by_alias=False, by_name=True)
        for model, unset in zip(_models(value), stored["unset"], strict=True):
            model.model_fields_set.difference_update(unset)
        return value


def _unset(model: Any) -> list[str]:
    return [name for name in type(model).model_fields if name not in model.model_fields_set]


def _models(value: Any) -> Iterator[Any]:
    """The model and those inside it, in the order of their fields."""
    from pydantic import BaseModel

    if isinstance(value, BaseModel):
        yield value
        value = list(vars(value).values())
    if isinstance(value, dict):
        value = list(value.values())
    for item in value if isinstance(value, (list, tuple)) else ():
        yield from _models(item)


def _survives(codec: PydanticCodec, value: Any) -> bool:
    """Whether decoding gives an equal model: it does not for `Any` fields with tuples, excluded fields, secrets."""
    try:
        again = codec.decode(codec.encode(value))
        # 1 == 1.0 == True: the reprs tell them apart.
        same_sets = all(
            one.model_fields_set == other.model_fields_set
            for one, other in zip(_models(again), _models(value), strict=True)
        )
        return same_sets and bool(again == value) and repr(again) == repr(value)
    except Exception:  # noqa: BLE001 - a model's own serializers and validators may raise anything
        return False


def _holds_set(data: Any) -> bool:
    """Whether there is a set inside: JSON would list it in the order of this process's hash seed."""
    if isinstance(data, (set, frozenset)):
        return True
    if isinstance(data, dict):
        return any(_holds_set(item) for item in data.values())
    return isinstance(data, (list, tuple)) and any(_holds_set(item) for item in data)
