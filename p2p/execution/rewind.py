"""Going back to what a step found: its values as they were, and the random generators where they stood.

A retried step gives what it would have given had it succeeded at once. So before the first attempt of a step that may
be tried again, the values that it may change are copied to the bottom; before the next, they are put back: in place
where Python lets one, because other names may stand for the same object, and as copies otherwise.
"""

from __future__ import annotations

import collections
import copy
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Memo = dict[int, Any]  # deepcopy's: what an object's id has been copied to; under its own id, the objects themselves


class Rewind:
    """The values as they were, and the state of the global random generators.

    Args:
        values: what may be changed in place, by name.

    Attributes:
        missed: names of the values that cannot be copied: what an attempt changes in them stays changed.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.missed: list[str] = []
        self._copies: dict[str, Any] = {}
        self._random = _random_states()
        memo: Memo = {}  # one for all: two names of one object are two names of one copy
        for name, value in values.items():
            before = dict(memo), list(memo.get(id(memo), ()))
            try:
                self._copies[name] = copied(value, memo)
            except Exception:  # noqa: BLE001  # copying runs the value's own code; that it failed is told by name
                self.missed.append(name)
                memo = _restored_memo(*before, memo)
        self._pairs = [(one, memo[id(one)]) for one in memo.get(id(memo), ()) if id(one) in memo]

    def back(self) -> dict[str, Any]:
        """Put everything back; gives each value that was copied: the object itself, or what stands in for it."""
        for restore in self._random:
            restore()
        memo = made_alike(self._pairs)
        return {name: copied(kept, memo) for name, kept in self._copies.items()}


def made_alike(pairs: Sequence[tuple[Any, Any]]) -> Memo:
    """Make the first object of each pair what the second is, in place, where Python lets one.

    Gives a memo for `copied`, by which copies of what held one of the second objects hold the first ones.
    """
    again = [(value, kept) for value, kept in pairs if can_be_made(value, kept)]
    memo: Memo = {id(kept): value for value, kept in again}
    for value, kept in again:
        _put_back(value, kept, memo)
    return memo


def _restored_memo(known: Memo, objects: list[Any], memo: Memo) -> Memo:
    """The memo as it was before a copy that failed half way."""
    memo.clear()
    memo.update(known)
    memo[id(memo)] = objects
    return memo


def copied(value: Any, memo: Memo | None = None) -> Any:
    """A deep copy, also of the objects in a frame's columns. Raises whatever keeps it from that."""
    memo = {} if memo is None else memo
    seen = len(memo.get(id(memo), ()))
    made = copy.deepcopy(value, memo)
    for one in memo.get(id(memo), [])[seen:]:  # pandas copies the columns, but not what is in them
        if _is_pandas(one) and id(one) in memo:
            _deepen(memo[id(one)], memo)
        elif isinstance(one, dict) and getattr(one, "__dict__", None) is one:  # its attributes are its items
            memo[id(one)].__dict__ = memo[id(one)]
    return made


def _deepen(frame: Any, memo: Memo) -> None:
    """Replace what the object columns of a copied frame or series hold by copies."""
    if not hasattr(frame, "columns"):
        if str(frame.dtype) == "object":
            frame.__setstate__(_deep_column(frame, memo).__getstate__())
        return
    for place, kind in enumerate(frame.dtypes):
        if str(kind) == "object":
            frame.isetitem(place, _deep_column(frame.iloc[:, place], memo))


def _deep_column(column: Any, memo: Memo) -> Any:
    elements = copy.deepcopy(column.to_numpy(copy=True), memo)
    return type(column)(elements, index=column.index, name=column.name, dtype=object)


def can_be_made(value: Any, kept: Any) -> bool:
    """Whether `value` can be made what `kept` is, in place."""
    if _is_array(value):
        return bool(value.shape == kept.shape and value.dtype == kept.dtype and value.flags.writeable)
    return type(value) in _IN_PLACE or _is_pandas(value) or _is_plain_object(value)


def _put_back(value: Any, kept: Any, memo: Memo) -> None:
    """Make `value` what `kept` is; what is inside comes from `memo` where it has been put back too."""
    refill = _IN_PLACE.get(type(value))
    if refill is not None:
        refill(value, kept, memo)
    elif _is_array(value):
        value[...] = kept.__deepcopy__(memo)
    elif _is_pandas(value):
        whole = kept.copy(deep=True)
        _deepen(whole, memo)
        value.__setstate__(whole.__getstate__())
    else:
        _refill_dict(vars(value), vars(kept), memo)


def _refill_list(value: Any, kept: Any, memo: Memo) -> None:
    items = [copied(item, memo) for item in kept]
    value.clear()
    value.extend(items)


def _refill_set(value: Any, kept: Any, memo: Memo) -> None:
    items = [copied(item, memo) for item in kept]
    value.clear()
    value.update(items)


def _refill_dict(value: Any, kept: Any, memo: Memo) -> None:
    items = [(copied(key, memo), copied(item, memo)) for key, item in kept.items()]
    value.clear()
    value.update(items)


def _refill_counter(value: Any, kept: Any, memo: Memo) -> None:
    value.clear()
    value.update({copied(key, memo): count for key, count in kept.items()})


_IN_PLACE: dict[type, Callable[[Any, Any, Memo], None]] = {
    list: _refill_list,
    bytearray: _refill_list,
    collections.deque: _refill_list,
    set: _refill_set,
    dict: _refill_dict,
    collections.OrderedDict: _refill_dict,
    collections.defaultdict: _refill_dict,
    collections.Counter: _refill_counter,
}


def _is_array(value: Any) -> bool:
    numpy: Any = sys.modules.get("numpy")
    return numpy is not None and type(value) is numpy.ndarray


def _is_pandas(value: Any) -> bool:
    pandas: Any = sys.modules.get("pandas")
    return pandas is not None and type(value) in (getattr(pandas, name, None) for name in ("DataFrame", "Series"))


_MADE_IN_PYTHON = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made by a class statement, as a rule, and not part of an extension
_OWN_WAYS = ("__reduce__", "__reduce_ex__", "__getstate__", "__setstate__", "__deepcopy__", "__copy__")


def _is_plain_object(value: Any) -> bool:
    """Whether all that an object holds is in its `__dict__`, as far as Python can tell."""
    kinds = type(value).__mro__[:-1]
    return (
        hasattr(value, "__dict__")
        and all(kind.__flags__ & _MADE_IN_PYTHON and "__slots__" not in vars(kind) for kind in kinds)
        and all(getattr(type(value), way, None) is getattr(object, way, None) for way in _OWN_WAYS)
    )


def _random_states() -> list[Callable[[], None]]:
    """What puts Python's and numpy's global generators back to where they stand now."""
    state = random.getstate()
    restore: list[Callable[[], None]] = [lambda: random.setstate(state)]
    numpy_random: Any = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_state = numpy_random.get_state()
        restore.append(lambda: numpy_random.set_state(numpy_state))
    return restore
