"""Types by the names under which people import them, and those of columns that pandera knows."""

from __future__ import annotations

import importlib
import re
from typing import Any

_NUMBER = re.compile(r"builtins\.(int|float)|numpy\.(u?int(8|16|32|64)|float(16|32|64))")
_USUAL = re.compile(r"u?int\d+|float\d+|bool|str|category|datetime64\[\w+\]|timedelta64\[\w+\]")


def public_type(kind: str) -> tuple[str, str] | None:
    """(import line, text) of a type, from where people import it when that gives the same type; None for no name.

    A number of one type is as good as one of another: which of them comes out may hang on the data.
    """
    if _NUMBER.fullmatch(kind):
        return "", "(int, float)"
    if kind in ("numpy.bool", "numpy.str_"):
        return "", kind.removeprefix("numpy.").removesuffix("_")
    module, _, name = kind.rpartition(".")
    if module.startswith("__main__") or not isinstance(_offered(module, name), type):
        return None  # a generator's type, say, has no name that an import gives
    if module == "builtins":
        return "", name
    public = _public_module(module, name)
    return f"import {public}", f"{public}.{name}"


def _offered(module: str, name: str) -> Any:
    """What a module has under a name; None where there is nothing."""
    try:
        return getattr(importlib.import_module(module), name, None)
    except (ImportError, ValueError):
        return None


def _public_module(module: str, name: str) -> str:
    """The shortest parent of `module` that offers the same object under `name`."""
    target = _offered(module, name)
    parts = module.split(".")
    for end in range(1, len(parts)):
        parent = ".".join(parts[:end])
        if _offered(parent, name) is target:
            return parent
    return module


def is_known(dtype: str) -> bool:
    """Whether pandera finds a column's type by its name; an extension of another library may be none to it."""
    if _USUAL.fullmatch(dtype):
        return True
    from pandera.engines.pandas_engine import Engine

    try:
        Engine.dtype(dtype)
    except TypeError:
        return False
    return True
