"""Which values hold the same object: kept apart, a change to one would no longer show in the other.

So what is an input, or holds a part of one, is put together with it again; and an input that was changed is changed,
not replaced, because names that the step knows nothing of may stand for the same object.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from p2p.execution.rewind import copied, made_alike

_ATOMS = (str, bytes, int, float, complex, bool, type(None), type, range, slice)
_KEYS = (*_ATOMS, tuple)
_MOST = 100_000  # objects looked at in one value


def the_same(inputs: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, str]:
    """By the name of what is given: the name of the input that it is."""
    names = {id(value): name for name, value in inputs.items() if not isinstance(value, _ATOMS)}
    return {name: names[id(value)] for name, value in given.items() if id(value) in names}


def in_and_out(inputs: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs and what is given in one dict: a name may be an input and, another object, an output."""
    return {**{f"in {n}": v for n, v in inputs.items()}, **{f"out {n}": v for n, v in given.items()}}


def restored(
    inputs: Mapping[str, Any],
    given: Mapping[str, Any],
    changed: Mapping[str, Any],
    same: Mapping[str, str],
    together: Mapping[str, Any],
) -> dict[str, Any]:
    """What a step gave, among the inputs that are here now, which become what the step made of them.

    Args:
        inputs: the inputs.
        given: what is given, as loaded one by one.
        changed: what inputs have become.
        same: what is given and is an input.
        together: what shares objects, loaded as one.
    """
    alike = [(inputs[name], value) for name, value in changed.items()]
    memo = made_alike(alike)
    held = {name.removeprefix("in "): value for name, value in together.items() if name.startswith("in ")}
    memo.update(counterparts([(value, inputs[name]) for name, value in held.items()]))
    found = dict(given)
    for name in given:
        if name in same:
            found[name] = inputs[same[name]]
        elif f"out {name}" in together:
            found[name] = copied(together[f"out {name}"], memo)
    return found


def counterparts(pairs: Sequence[tuple[Any, Any]]) -> dict[int, Any]:
    """By the id of each object in the first value of a pair, the one that has the same place in the second, its equal.

    What is in a set has no place, nor what stands under a key that is no plain data.
    """
    found: dict[int, Any] = {}
    waiting = [*pairs]
    while waiting and len(found) < _MOST:
        one, other = waiting.pop()
        if isinstance(one, _ATOMS) or id(one) in found or type(one) is not type(other):
            continue
        found[id(one)] = other
        waiting += _places(one, other)
    return found


def _places(one: Any, other: Any) -> list[tuple[Any, Any]]:
    """What two objects of a type hold at the same places."""
    if isinstance(one, dict):
        return _under_keys(one, other)
    inside, others = _inside(one), _inside(other)
    if not inside or isinstance(one, set | frozenset):  # a frame is one object, whatever it is made of
        return []
    fields = getattr(one, "__dict__", None)
    if isinstance(fields, dict):
        return [*_under_keys(fields, vars(other)), *zip(_in_slots(one), _in_slots(other), strict=False)]
    return [*zip(inside, others, strict=True)] if len(inside) == len(others) else []


def _under_keys(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
    return [(value, other[key]) for key, value in one.items() if isinstance(key, _KEYS) and key in other]


Held = Mapping[str, Sequence[Any]]


def held(values: Mapping[str, Any]) -> dict[str, Sequence[Any]]:
    """By name the objects in a value that can be changed in place."""
    return {name: _changeable(value) for name, value in values.items()}


def shared(holding: Held) -> list[str]:
    """The names whose values hold an object that another one's holds too."""
    found = {name for group in groups(holding) for name in group}
    return [name for name in holding if name in found]


def groups(holding: Held) -> list[tuple[str, ...]]:
    """The names whose values hold one object, for each object that several hold.

    A frame counts as one object: pandas copies its data on write. An array counts as the one whose memory it shows.
    """
    owners: dict[int, list[str]] = {}
    for name, objects in holding.items():
        for found in {place for one in objects for place in (id(one), id(_memory_of(one)))}:
            owners.setdefault(found, []).append(name)
    return list(dict.fromkeys(tuple(names) for names in owners.values() if len(names) > 1))


def views(holding: Held) -> list[str]:
    """The names whose values hold an array that shows memory which another array shows, in another one's value.

    No format keeps that: stored and loaded, each array has memory of its own.
    """
    seen: dict[int, dict[int, set[str]]] = {}
    for name, objects in holding.items():
        for one in filter(_is_array, objects):
            seen.setdefault(id(_memory_of(one)), {}).setdefault(id(one), set()).add(name)
    several = [arrays.values() for arrays in seen.values() if len(arrays) > 1]
    found = {name for names in several if len(set().union(*names)) > 1 for name in set().union(*names)}
    return [name for name in holding if name in found]


def _changeable(value: Any) -> list[Any]:
    found: dict[int, Any] = {}
    looked: set[int] = set()
    waiting = [value]
    while waiting and len(looked) < _MOST:
        one = waiting.pop()
        if isinstance(one, _ATOMS) or (callable(one) and not hasattr(one, "__dict__")) or id(one) in looked:
            continue
        looked.add(id(one))
        waiting += _inside(one)
        if not isinstance(one, tuple | frozenset):
            found[id(one)] = one
    return list(found.values())


def _is_array(one: Any) -> bool:
    numpy: Any = sys.modules.get("numpy")
    return numpy is not None and isinstance(one, numpy.ndarray)


def _memory_of(one: Any) -> Any:
    """What the memory that an array shows belongs to: an array or a buffer; of anything else, the object itself."""
    while (_is_array(one) or type(one).__name__ == "DummyArray") and one.base is not None:  # as_strided's own
        one = one.base
    return one.obj if isinstance(one, memoryview) else one


def _inside(one: Any) -> list[Any]:
    pandas: Any = sys.modules.get("pandas")
    if pandas is not None and isinstance(one, pandas.DataFrame | pandas.Series | pandas.Index):
        return []
    if isinstance(one, dict):
        return [*one.keys(), *one.values()]
    if isinstance(one, list | tuple | set | frozenset):
        return list(one)
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None and isinstance(one, numpy.ndarray):
        return list(one.ravel()) if one.dtype == object else []
    if isinstance(one, type):
        return []
    fields = getattr(one, "__dict__", None)
    return [*(fields.values() if isinstance(fields, dict) else ()), *_in_slots(one)]


def _in_slots(one: Any) -> list[Any]:
    names = (vars(kind).get("__slots__", ()) for kind in type(one).__mro__)
    listed = [name for found in names for name in ((found,) if isinstance(found, str) else found)]
    missing = object()
    return [value for name in listed if (value := getattr(one, name, missing)) is not missing]
