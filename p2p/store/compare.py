"""Where two values differ, in one sentence. Digests say whether bytes are equal; this says whether values are.

Strict: 1 is not 1.0, a list is not a tuple, and the order of a dict's keys counts, as loops follow it. NaN equals NaN;
the order in which an object got its attributes does not count. A class of a notebook (`__main__`) equals the class of
the same name in the module that was exported from it.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

from p2p.store.canonical import dumps, parts_of
from p2p.store.compare_arrays import array_difference, close, frame_difference, index_difference, placed
from p2p.store.describing import preview
from p2p.store.figures import PngCodec
from p2p.store.functions import form_of, names_of
from p2p.store.naming import importable, plain_name, type_name

_SHOWN = 80
_DEFAULT_EQUALITY: Any = object.__eq__
_PNG = b"\x89PNG\r\n\x1a\n"
Seen = set[tuple[int, int]]


def difference(a: Any, b: Any, *, tolerance: float = 0.0) -> str | None:
    """The first place where `a` and `b` differ, as "place: a against b"; None when they are equal.

    With a tolerance, floating-point numbers are equal too when they differ by no more than this part of the larger one;
    in arrays and columns also by 8 units in the last place of the largest item.
    """
    return _Comparison(tolerance)(a, b)


class _Comparison:
    """One comparison; remembers which pairs it is inside of, for values that contain themselves."""

    def __init__(self, tolerance: float) -> None:
        self.tolerance = tolerance
        self._seen: Seen = set()
        self._alive: list[Any] = []  # ids are only unique while their objects live

    def __call__(self, a: Any, b: Any) -> str | None:
        if a is b or (id(a), id(b)) in self._seen:
            return None
        a, b = _rendered(a), _rendered(b)
        if not _same_type(a, b):
            return f"type {type_name(a)} against {type_name(b)}"
        self._seen.add((id(a), id(b)))
        self._alive += (a, b)
        return self._comparer(a)(a, b)

    def _comparer(self, a: Any) -> Callable[[Any, Any], str | None]:
        exact: dict[type, Callable[[Any, Any], str | None]] = {
            **{dict: self._ordered, list: self._sequences, tuple: self._sequences, set: _sets, frozenset: _sets},
            **{str: _texts, bytes: _bytes, bytearray: _bytes, float: self._numbers, complex: self._numbers},
            **{int: _scalars, bool: _scalars, FunctionType: self._functions},
        }
        return exact.get(type(a)) or self._comparer_of_library_types(a) or self._objects

    def _comparer_of_library_types(self, a: Any) -> Callable[[Any, Any], str | None] | None:
        np: Any = sys.modules.get("numpy")
        if np is not None and isinstance(a, np.generic):
            return self._numpy_scalars
        if np is not None and type(a) is np.ndarray:
            return self._arrays
        pd: Any = sys.modules.get("pandas")
        if pd is None:
            return None
        if type(a) in (pd.DataFrame, pd.Series):
            return lambda one, other: frame_difference(one, other, self)
        return (lambda one, other: index_difference(one, other, self)) if isinstance(a, pd.Index) else None

    def _numbers(self, a: Any, b: Any) -> str | None:
        return None if abs(a - b) <= self.tolerance * max(abs(a), abs(b)) < math.inf else _scalars(a, b)

    def _numpy_scalars(self, a: Any, b: Any) -> str | None:
        if a.dtype != b.dtype:
            return f"dtype {a.dtype} against {b.dtype}"
        return None if a == b or (a != a and b != b) or close(a, b, self.tolerance) else f"{a} against {b}"

    def _arrays(self, a: Any, b: Any) -> str | None:
        return array_difference(a, b, self)

    def _ordered(self, a: dict[Any, Any], b: dict[Any, Any]) -> str | None:
        found = self._dicts(a, b)
        if found is None and list(a) != list(b):
            first = next((one, other) for one, other in zip(a, b, strict=True) if one != other)
            return f"the order of its keys: {_show(first[0])} against {_show(first[1])}"
        return found

    def _dicts(self, a: dict[Any, Any], b: dict[Any, Any]) -> str | None:
        for one, other, word in ((a, b, "second"), (b, a, "first")):
            lost = [key for key in one if key not in other]
            if lost:
                return f"key {_show(lost[0])}: missing in the {word}{_and_more(len(lost) - 1)}"
        return self._first((f"key {_show(key)}", item, b[key]) for key, item in a.items())

    def _sequences(self, a: Any, b: Any) -> str | None:
        if len(a) != len(b):
            return f"length {len(a)} against {len(b)}"
        pairs = enumerate(zip(a, b, strict=True))
        return self._first((f"item {position}", one, other) for position, (one, other) in pairs)

    def _functions(self, a: Any, b: Any) -> str | None:
        """By what they do, their defaults, and what they read from outside; where they stand does not count."""
        if form_of(a.__code__) != form_of(b.__code__):
            return f"{_show(a)} does something else than {_show(b)}"
        parts = [("its defaults", [a.__defaults__, a.__kwdefaults__], [b.__defaults__, b.__kwdefaults__])]
        read_a, read_b = names_of(a), names_of(b)
        if read_a.keys() != read_b.keys():
            return f"it reads {', '.join(read_a)} against {', '.join(read_b)}"
        return self._first([*parts, *((f"the '{name}' that it reads", read_a[name], read_b[name]) for name in read_a)])

    def _objects(self, a: Any, b: Any) -> str | None:
        """By canonical pickle; where that differs, by what the two are made of."""
        if _same_pickle(a, b) or (_is_foreign(a) and _say_equal(a, b)):
            return None
        try:
            made_a, made_b = parts_of(a), parts_of(b)
        except Exception:  # noqa: BLE001 - what cannot be taken apart can only be asked
            return None if _say_equal(a, b) else f"{_show(a)} against {_show(b)}"
        if isinstance(made_a, str) or isinstance(made_b, str):
            return None if made_a == made_b else f"{made_a} against {made_b}"
        return self._made_of(made_a, made_b)

    def _made_of(self, a: tuple[Any, ...], b: tuple[Any, ...]) -> str | None:
        """Compares what `__reduce_ex__` gave: constructor, arguments, state, items."""
        a, b = a + (None,) * (6 - len(a)), b + (None,) * (6 - len(b))
        fields_a, fields_b = _fields(a[2]), _fields(b[2])
        parts: list[tuple[str, Any, Any]] = [("what it is made from", _constructor(a), _constructor(b))]
        if fields_a is None or fields_b is None:
            parts.append(("its state", a[2], b[2]))
        elif (state := self._dicts(fields_a, fields_b)) is not None:
            return state.replace("key '", "attribute '", 1) if state.startswith("key '") else state
        parts += [("its items", _listed(a[at]), _listed(b[at])) for at in (3, 4)]
        return self._first(parts)

    def _first(self, parts: Any) -> str | None:
        for place, one, other in parts:
            found = self(one, other)
            if found is not None:
                return placed(place, found)
        return None


def _rendered(value: Any) -> Any:
    """A figure as its PNG bytes, which is what the store gives back for it."""
    codec = PngCodec()
    return codec.encode(value) if codec.accepts(value) else value


def _same_type(a: Any, b: Any) -> bool:
    if type(a) is type(b):
        return True
    names = {type_name(a), type_name(b)}
    plain = {plain_name(name) for name in names}
    return len(plain) == 1 and plain != names


def _same_pickle(a: Any, b: Any) -> bool:
    try:
        return dumps(a) == dumps(b)
    except Exception:  # noqa: BLE001 - pickling runs the value's own code
        return False


def _is_foreign(value: Any) -> bool:
    """Whether its class comes from a library that defines equality itself, as dates and paths do."""
    kind = type(value)
    return getattr(kind, "__eq__", None) is not _DEFAULT_EQUALITY and importable(kind)


def _say_equal(a: Any, b: Any) -> bool:
    try:
        return a == b and isinstance(a == b, bool)
    except Exception:  # noqa: BLE001 - an `__eq__` is the user's code
        return False


def _fields(state: Any) -> dict[Any, Any] | None:
    """The attributes in a pickled state: `__dict__`, that and the slots, or pydantic's."""
    if isinstance(state, dict) and isinstance(state.get("__dict__"), dict):
        return {**state["__dict__"], **{name: item for name, item in state.items() if name != "__dict__"}}
    if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict):
        return {**(state[0] or {}), **state[1]} if isinstance(state[0], (dict, type(None))) else None
    return state if type(state) is dict else None


def _constructor(parts: tuple[Any, ...]) -> list[Any]:
    # Classes by name: the notebook's and the module's are two objects.
    return [part.__qualname__ if isinstance(part, type) else part for part in (parts[0], *parts[1])]


def _listed(items: Iterator[Any] | None) -> list[Any] | None:
    return None if items is None else list(items)


def _scalars(a: Any, b: Any) -> str | None:
    return None if a == b or (a != a and b != b) else f"{_show(a)} against {_show(b)}"


def _sets(a: Any, b: Any) -> str | None:
    if a == b:
        return None
    only_a, only_b = a - b, b - a
    both = ((only_a, "first"), (only_b, "second"))
    one = [f"{_show(next(iter(only)))} is only in the {word}" for only, word in both if only]
    return " and ".join(one) + _and_more(len(only_a) + len(only_b) - len(one))


def _texts(a: str, b: str) -> str | None:
    if a == b:
        return None
    if max(len(a), len(b)) <= _SHOWN:
        return f"{a!r} against {b!r}"
    at = next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    start = max(0, at - 10)
    return f"character {at}: {a[start : at + 30]!r} against {b[start : at + 30]!r}"


def _bytes(a: Any, b: Any) -> str | None:
    if a == b:
        return None
    if a.startswith(_PNG) and b.startswith(_PNG):
        size_a, size_b = _png_size(a), _png_size(b)
        return f"PNG of {size_a} against {size_b}" if size_a != size_b else f"PNGs of {size_a} with other pixels"
    if len(a) != len(b):
        return f"{len(a)} bytes against {len(b)}"
    at = next(at for at, (x, y) in enumerate(zip(a, b, strict=True)) if x != y)
    return f"byte {at}: {a[at]} against {b[at]}"


def _png_size(data: bytes) -> str:
    return f"{int.from_bytes(data[16:20], 'big')} x {int.from_bytes(data[20:24], 'big')}"


def _show(value: Any) -> str:
    text = preview(value).replace("\n", " ")
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _and_more(count: int) -> str:
    return f", and {count:,} more" if count > 0 else ""
