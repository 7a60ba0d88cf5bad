"""Functions and classes of a notebook, taken apart so that another process can build them again.

The taking apart is cloudpickle's; this module removes what differs between two processes that ran the same cell: random
class ids, file names of cells, line numbers.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

# Python 3.13 writes these into each class; they follow the place in the file and the hash seed.
_PLACE = ("__firstlineno__", "__static_attributes__")


def function_parts(function: types.FunctionType, shared: dict[str, Any]) -> tuple[Any, ...]:
    """What `save_reduce` needs to write a function.

    Args:
        function: the function.
        shared: stands for its module's globals; the same dict for all functions of a module, so that they share them.
    """
    import cloudpickle.cloudpickle as cp

    shared.setdefault("__name__", function.__module__)
    free = len(function.__code__.co_freevars)
    closure = None if function.__closure__ is None else tuple(cp._make_empty_cell() for _ in range(free))
    parts = (cp._make_function, (function.__code__, shared, None, None, closure))
    return (*parts, cp._function_getstate(function), None, None, cp._function_setstate)


def class_parts(kind: type, class_id: str) -> tuple[Any, ...]:
    """What `save_reduce` needs to write a class; `class_id` makes two loads of it give one class."""
    import cloudpickle.cloudpickle as cp

    make, args, (members, slots), *rest = cp._dynamic_class_reduce(kind)
    id_at = len(args) - 2
    for name in _PLACE:
        members.pop(name, None)
    return (make, (*args[:id_at], class_id, *args[id_at + 1 :]), (members, slots), *rest)


def code_parts(code: types.CodeType) -> tuple[Any, ...]:
    """What `save_reduce` needs to write a code object, without the place where it was written."""
    import cloudpickle.cloudpickle as cp

    parts: tuple[Any, ...] = cp._code_reduce(code.replace(co_filename="<notebook>", co_firstlineno=1))
    return parts


def class_member_reducer(kind: type) -> Callable[[Any], Any] | None:
    """How to write what occurs inside classes only: properties, class methods, fields of dataclasses."""
    import cloudpickle.cloudpickle as cp

    reducer: Callable[[Any], Any] | None = cp.Pickler._dispatch_table.get(kind)
    return reducer
