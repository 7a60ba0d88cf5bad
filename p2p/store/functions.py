"""What a function is made of, so that a notebook's can be held against its twin in a module.

The twin may have been made inside a step: what the notebook's reads as a global is then a variable of the function
around it. So their bytes differ, and the instructions are compared, with what the names stand for.
"""

from __future__ import annotations

import builtins
import dis
import inspect
from types import CodeType, FunctionType
from typing import Any, Final

_SILENT: Final = {"RESUME", "COPY_FREE_VARS", "PUSH_NULL", "CACHE", "NOP", "EXTENDED_ARG", "MAKE_CELL"}
_READS: Final = {"LOAD_GLOBAL", "LOAD_DEREF", "LOAD_NAME"}
# Whether a module's attribute is a method is told by where the import stands.
_ALIKE: Final = {**dict.fromkeys(_READS, "read"), "LOAD_ATTR": "attribute", "LOAD_METHOD": "attribute"}


def form_of(code: CodeType) -> tuple[Any, ...]:
    """What a function's code does, whatever it is called, wherever it stands and however it reaches its names."""
    kept = [one for one in dis.get_instructions(code) if one.opname not in _SILENT]
    places = {one.offset: place for place, one in enumerate(kept)}
    jumps = {*dis.hasjrel, *dis.hasjabs}
    ends = sorted(places)

    def place_of(offset: int) -> int:
        return next((places[at] for at in ends if at >= offset), len(kept))

    def argument(one: dis.Instruction) -> Any:
        if one.opcode in jumps:
            return place_of(one.argval)
        if isinstance(one.argval, CodeType):
            return form_of(one.argval)
        items = sorted(map(repr, one.argval)) if isinstance(one.argval, frozenset) else repr(one.argval)
        return type(one.argval).__name__, items

    steps = tuple(
        (_ALIKE[one.opname], one.argval) if one.opname in _ALIKE else (one.opname, argument(one)) for one in kept
    )
    arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    signature = (arguments, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags & _KINDS)
    return *signature, code.co_exceptiontable, steps  # what is tried, by place: another place is another form


_KINDS: Final = (
    inspect.CO_VARARGS
    | inspect.CO_VARKEYWORDS
    | inspect.CO_GENERATOR
    | inspect.CO_COROUTINE
    | inspect.CO_ASYNC_GENERATOR
)
_MISSING: Final = "nothing"


def names_of(function: FunctionType) -> dict[str, Any]:
    """What the names stand for that a function reads from outside itself, but for Python's own."""
    code = function.__code__
    closure = dict(zip(code.co_freevars, map(_content, function.__closure__ or ()), strict=True))
    found = {name: function.__globals__.get(name, getattr(builtins, name, _MISSING)) for name in _globals(code)}
    found |= closure
    return {name: found[name] for name in sorted(found) if found[name] is not getattr(builtins, name, _NOT_PYTHONS)}


_NOT_PYTHONS: Final = object()


def _globals(code: CodeType) -> set[str]:
    """The names that a function, and those inside it, look up in the module."""
    inside = (one for one in code.co_consts if isinstance(one, CodeType))
    own = {one.argval for one in dis.get_instructions(code) if one.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return own.union(*map(_globals, inside))


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not bound yet
        return _MISSING
