"""Constants of libraries that are known by being that one object: a marker for "not given", some units.

Pickle makes another object of each, which the library then does not know: a copy of astropy's unit `redshift` is not
that unit. So a copy of what holds one names the constant, and has the library's own.
"""

from __future__ import annotations

import importlib
import pickle
import sys
from collections.abc import Iterator
from functools import cache
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from p2p.analysis import is_installed

_CODE = (FunctionType, BuiltinFunctionType, MethodType, ModuleType, type)
_DATA = (str, bytes, int, float, complex, bool, type(None), range, slice, dict, list, tuple, set, frozenset)
_NEVER = frozenset({*_CODE, *_DATA})
_DEFAULT_EQUALITY: Any = object.__eq__

Place = tuple[str, str]
"""A module and a name in it."""


class Constants:
    """The constants of the libraries that are loaded: looked for when one is asked for, and again once more are."""

    def __init__(self) -> None:
        self._loaded = 0
        self._places: dict[int, Place] = {}

    def place(self, one: Any) -> Place | None:
        """Where a library has this very object, if it would not take a copy for it; else None."""
        if type(one) in _NEVER:
            return None
        if self._loaded != len(sys.modules):
            self._places = dict(_places())
            self._loaded = len(sys.modules)
        place = self._places.get(id(one))
        return place if place and _is_at(one, place) and _is_constant(one) else None


def constant_at(module: str, name: str) -> Any:
    """The constant of that name."""
    return getattr(importlib.import_module(module), name)


def _places() -> Iterator[tuple[int, Place]]:
    """By identity where each object of a library is; the first of its places in the alphabet comes last."""
    installed = cache(is_installed)
    for name, module in sorted(sys.modules.items(), reverse=True):
        if name != "__main__" and installed(name.partition(".")[0]):
            own = list(getattr(module, "__dict__", {}).items())  # anything can be put among the modules
            yield from ((id(one), (name, key)) for key, one in own if type(one) not in _NEVER)


def _is_at(one: Any, place: Place) -> bool:
    module, name = place
    return getattr(sys.modules.get(module), "__dict__", {}).get(name) is one


def _is_constant(one: Any) -> bool:
    """Whether it has nothing but its identity, or its own equality does not take a copy for it."""
    try:
        reduced = one.__reduce_ex__(4)
        if isinstance(reduced, str):  # pickle finds it by name already
            return False
        if type(one).__eq__ is _DEFAULT_EQUALITY:
            made, arguments, *state = reduced
            return made.__name__ == "__newobj__" and len(arguments) == 1 and not any(state)
        return (pickle.loads(pickle.dumps(one)) == one) is False  # noqa: S301  # our own bytes
    except Exception:  # noqa: BLE001  # the library's own code
        return False
