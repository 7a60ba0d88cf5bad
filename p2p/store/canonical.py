"""Pickles that are equal for equal objects, whichever process built them.

Ordinary pickles differ by what no program means: whether two equal strings are one object, the hash order of sets,
memory layout, NaN bits, padding, where a notebook's class was written. Here none of it shows.
"""

from __future__ import annotations

import builtins
import copyreg
import datetime
import decimal
import fractions
import io
import pathlib
import pickle
import sys
import types
import uuid
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, ClassVar

from p2p.store import by_value, restore
from p2p.store.constants import place_of
from p2p.store.naming import importable, lives_in_notebook, type_name
from p2p.store.reducers import Reducers

_ATOMS = frozenset({str, bytes, int, float, bool, type(None)})
# Small values that never change: two equal ones may be one object or two, so each is written out.
_LEAVES = frozenset(
    {
        *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone),
        *(decimal.Decimal, fractions.Fraction, complex, uuid.UUID, pathlib.PurePosixPath, pathlib.PosixPath),
    }
)
_LONGEST_LEAF = 64
# Types that `builtins` does not have under their own name: of functions, code, cells.
_UNNAMED_TYPES = {
    kind: name
    for name, kind in sorted(vars(types).items())
    if isinstance(kind, type) and kind.__module__ == "builtins" and not hasattr(builtins, kind.__name__)
}
# What makes an object of its class alone, so that its state is its attributes.
_NEW_OBJECT = (copyreg.__newobj__, copyreg.__newobj_ex__, copyreg._reconstructor)  # type: ignore[attr-defined]  # typeshed


class PickleCodec:
    """The last resort: whatever pickle can write."""

    name = "pickle"
    suffix = ".pickle"

    def accepts(self, value: Any) -> bool:
        return True

    def encode(self, value: Any) -> bytes:
        return dumps(value)

    def decode(self, data: bytes) -> Any:
        return pickle.loads(data)  # noqa: S301 - the store checks whose bytes they are


def dumps(value: Any, class_id: Callable[[type], str] | None = None) -> bytes:
    """The canonical pickle of `value`; `class_id` is given while a class itself is written."""
    buffer = io.BytesIO()
    CanonicalPickler(buffer, class_id=class_id).dump(value)
    return buffer.getvalue()


def parts_of(value: Any) -> Any:
    """What `value` is made of, as `__reduce_ex__` gives it, in canonical form."""
    reducer = Reducers(list, in_class=False).get(type(value))
    return reducer(value) if reducer is not None else value.__reduce_ex__(5)


# The pickler in Python, not the one in C: only it lets a subclass write strings and sets. Typeshed knows none of it.
_PythonPickler: Any = pickle._Pickler


class CanonicalPickler(_PythonPickler):  # type: ignore[misc]  # for the reason above
    """The pure Python pickler, protocol 5, with canonical forms for what has several."""

    dispatch: ClassVar[dict[type, Callable[..., None]]] = dict(_PythonPickler.dispatch)

    def __init__(
        self,
        file: io.BytesIO,
        *,
        class_id: Callable[[type], str] | None = None,
        for_order: bool = False,
    ) -> None:
        super().__init__(file, protocol=5)
        self.dispatch_table: Any = Reducers(self._ordered, in_class=class_id is not None)
        self._class_id = class_id
        self._for_order = for_order
        self._texts: dict[str | bytes, int] = {}
        self._globals: dict[int, dict[str, Any]] = {}

    def memoize(self, obj: Any) -> None:
        if not _is_leaf(obj):
            super().memoize(obj)

    def _save_text(self, obj: str | bytes) -> None:
        """Equal strings are written once, whether or not they are one object."""
        place = self._texts.get(obj)
        if place is not None:
            self.write(self.get(place))
            return
        _PythonPickler.dispatch[type(obj)](self, obj)
        if id(obj) in self.memo:
            self._texts[obj] = self.memo[id(obj)][0]

    def _save_float(self, obj: float) -> None:
        _PythonPickler.dispatch[float](self, obj if obj == obj else float("nan"))

    def _save_set(self, obj: set[Any]) -> None:
        if self._for_order and not all(map(_is_simple, obj)):
            self._save_outline(obj)
            return
        self.write(pickle.EMPTY_SET)
        self.memoize(obj)
        self.write(pickle.MARK)
        for item in self._ordered(obj):
            self.save(item)
        self.write(pickle.ADDITEMS)

    def _save_frozenset(self, obj: frozenset[Any]) -> None:
        if self._for_order and not all(map(_is_simple, obj)):
            self._save_outline(obj)
            return
        self.write(pickle.MARK)
        for item in self._ordered(obj):
            self.save(item)
        if id(obj) in self.memo:  # an item led back here and wrote it already
            self.write(pickle.POP_MARK + self.get(self.memo[id(obj)][0]))
            return
        self.write(pickle.FROZENSET)
        self.memoize(obj)

    def _ordered(self, items: Iterable[Any]) -> list[Any]:
        """The items in an order that does not come from the hash seed."""
        listed = list(items)
        if len(set(map(type, listed))) <= 1 and type(next(iter(listed), None)) in (str, bytes, int):
            return sorted(listed)
        return sorted(listed, key=self._sort_key)

    def _sort_key(self, item: Any) -> bytes:
        buffer = io.BytesIO()
        CanonicalPickler(buffer, class_id=self._class_id, for_order=True).dump(item)
        return buffer.getvalue()

    def _save_outline(self, obj: set[Any] | frozenset[Any]) -> None:
        """Stands for a set of objects while another set is put in order: objects may lead round in circles."""
        self.save([len(obj), sorted({type_name(item) for item in obj})])

    def _save_function(self, obj: types.FunctionType) -> None:
        if importable(obj):
            self.save_global(obj)
            return
        shared = self._globals.setdefault(id(obj.__globals__), {})
        self.save_reduce(*by_value.function_parts(obj, shared), obj=obj)

    def _save_class(self, obj: type) -> None:
        if obj in _UNNAMED_TYPES:
            self.save_reduce(restore.builtin_type, (_UNNAMED_TYPES[obj],), obj=obj)
        elif not lives_in_notebook(obj):
            _PythonPickler.dispatch[type](self, obj)
        elif self._class_id is not None:
            self.save_reduce(*by_value.class_parts(obj, self._class_id(obj)), obj=obj)
        else:
            self.save_reduce(restore.notebook_class, (obj.__module__, obj.__qualname__, _class_blob(obj)), obj=obj)

    def save_reduce(self, func: Any, args: Any, state: Any = None, *parts: Any, obj: Any = None) -> None:
        """Attributes are written in the order of their names: in which order an object got them says nothing of it.

        A dict that is its own attributes writes them as one that was loaded, which pickle leaves with two dicts, does.
        A constant of a library, of which no copy would do, is written as the place where the library has it.
        """
        place = None if _is_leaf(obj) else place_of(obj)  # NumPy's dtypes are equal to their copies
        if place is not None:
            func, args, state, parts = restore.library_constant, place, None, ()
        if func in _NEW_OBJECT:
            state = dict(obj) if state is obj and isinstance(obj, dict) else state
            state = tuple(map(_in_order, state)) if type(state) is tuple else _in_order(state)
        super().save_reduce(func, args, state, *parts, obj=obj)

    def save_global(self, obj: Any, name: str | None = None) -> None:
        # Classes with a metaclass come here without passing the dispatch by type.
        if name is None and isinstance(obj, type) and type(obj) is not type and lives_in_notebook(obj):
            self._save_class(obj)
        else:
            super().save_global(obj, name)

    dispatch[str] = dispatch[bytes] = _save_text
    dispatch[float] = _save_float
    dispatch[set] = _save_set
    dispatch[frozenset] = _save_frozenset
    dispatch[types.FunctionType] = _save_function
    dispatch[type] = _save_class


def _in_order(state: Any) -> Any:
    plain = type(state) is dict and all(type(name) is str for name in state)
    return {name: state[name] for name in sorted(state)} if plain else state


def _is_simple(item: Any) -> bool:
    return type(item) in _ATOMS or type(item) is frozenset or _is_leaf(item)


def _is_leaf(obj: Any) -> bool:
    kind = type(obj)
    if kind is tuple:
        # The compiler merges equal constants of one module; the cells of a notebook are compiled one by one.
        return len(obj) <= _LONGEST_LEAF and _ATOMS.issuperset(map(type, obj))
    if kind in _LEAVES:
        return True
    np: Any = sys.modules.get("numpy")
    return np is not None and issubclass(kind, (np.generic, np.dtype))


@cache
def _notebook_id(kind: type, blob: bytes) -> str:
    import blake3

    return f"{kind.__qualname__}-{blake3.blake3(blob).hexdigest(length=16)}"


def _class_blob(kind: type) -> bytes:
    """The class itself as a pickle; empty where it cannot be written, so that only its notebook can load it."""
    models: Any = sys.modules.get("pydantic.main")
    if models is not None and issubclass(kind, models.BaseModel):
        return b""  # its compiled validator is not the same in two processes
    try:
        return dumps(kind, lambda inner: _notebook_id(inner, dumps(inner, lambda _: "")))
    except Exception:  # noqa: BLE001 - a lock in a class attribute, another library's metaclass: anything
        return b""
