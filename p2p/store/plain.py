"""Plain data as JSON: exactly str, int, float, bool, None, and lists and dicts of them."""

from __future__ import annotations

import json
from typing import Any

# Both limits are below what any interpreter refuses (640 digits is the lowest setting of `sys.set_int_max_str_digits`,
# and the JSON scanner recurses once a level); what passes them is pickled instead.
MAX_DEPTH = 200
MAX_INT_BITS = 2_000

_CONTAINERS = frozenset({list, dict})
_PLAIN = frozenset({str, int, float, bool, type(None), *_CONTAINERS})


class JsonCodec:
    """UTF-8 JSON without spaces; NaN and infinities as Python's json writes them."""

    name = "json"
    suffix = ".json"

    def accepts(self, value: Any) -> bool:
        return is_plain(value)

    def encode(self, value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, check_circular=False, separators=(",", ":")).encode()

    def decode(self, data: bytes) -> Any:
        return json.loads(data)


def is_plain(value: Any) -> bool:
    """Whether JSON gives back exactly this value.

    A list or dict that occurs twice in the value is not plain: JSON would give back two, and a change to one of them
    would no longer show in the other.
    """
    if type(value) not in _CONTAINERS:
        return _all_plain([value])
    level, seen, depth = [value], set[int](), 0
    while level:
        if depth > MAX_DEPTH or not _all_plain(level):
            return False
        containers = [item for item in level if type(item) is list or type(item) is dict]
        fresh = seen.union(map(id, containers))
        if len(fresh) != len(seen) + len(containers):
            return False
        seen, depth = fresh, depth + 1
        level = [child for container in containers for child in _children(container)]
    return True


def _all_plain(items: list[Any]) -> bool:
    """Whether each item is a list, a dict with text as keys, or an atom that JSON can write."""
    kinds = set(map(type, items))
    if not kinds <= _PLAIN:
        return False
    if str in kinds and not all(item.isascii() or _encodes(item) for item in items if type(item) is str):
        return False
    if int in kinds and any(item.bit_length() > MAX_INT_BITS for item in items if type(item) is int):
        return False
    return dict not in kinds or all(set(map(type, item)) <= {str} for item in items if type(item) is dict)


def _children(container: Any) -> list[Any]:
    if type(container) is list:
        return container
    return [*container, *container.values()]


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return False
    return True
