"""Constants of libraries that are known by being that one object: a marker for "not given", some units.

Pickle makes another object of each, which the library then does not know: a copy of astropy's unit `redshift` is not
that unit. So what holds one is written with its name, and has the library's own when it is loaded.
"""

from __future__ import annotations

import pickle
import sys
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
        self._places: dict[int, list[Place]] = {}
        self._looked: dict[str, tuple[Any, int]] = {}
        self._loaded = 0
        self._installed = cache(is_installed)

    def place(self, one: Any) -> Place | None:
        """Where a library has this very object, if it would not take a copy for it; else None.

        Of several places the first in the alphabet: any process that has loaded the same modules finds the same.
        """
        if type(one) in _NEVER or type(one).__hash__ is None:  # what can be changed in place is no constant
            return None
        if self._loaded != len(sys.modules):
            # A look touches all modules, and a forked process then has to copy the memory that they lie in.
            if type(one).__eq__ is _DEFAULT_EQUALITY and not _is_constant(one):
                return None
            self.look()
        places = [place for place in self._places.get(id(one), ()) if _is_at(one, place)]
        return min(places) if places and _is_constant(one) else None

    def look(self) -> None:
        """Look through the modules that are loaded; those that are as they were are known."""
        loaded = dict(sys.modules)
        for name, module in loaded.items():
            own = getattr(module, "__dict__", {})  # anything can be put among the modules
            looked = (module, len(own))
            if self._looked.get(name) != looked and name != "__main__" and self._installed(name.partition(".")[0]):
                for key, one in list(own.items()):
                    if type(one) not in _NEVER:
                        self._places.setdefault(id(one), []).append((name, key))
            self._looked[name] = looked
        self._loaded = len(loaded)


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
        copy = pickle.loads(pickle.dumps(one))  # noqa: S301  # our own bytes
        return copy is not one and (copy == one) is False
    except Exception:  # noqa: BLE001  # the library's own code
        return False


_constants = Constants()
place_of = _constants.place
look = _constants.look
