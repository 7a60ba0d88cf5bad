"""How values name their types and code: what can be imported again by name, and what lives only in a notebook."""

from __future__ import annotations

import importlib
import re
import sys
from typing import Any


def type_name(value: Any) -> str:
    """The type of `value` as `module.qualname`."""
    kind = type(value)
    return f"{kind.__module__}.{kind.__qualname__}"


_MOVED = re.compile(r"^(__main__|pipelines\.\w+\.v\d+\.(steps|modules))\.")


def plain_name(name: str) -> str:
    """A type's name as its notebook has it: that of a class which a version took over from it, or from its modules.

    `pipelines.n.v1.steps.make.<locals>.Line` is `Line`, which was `__main__.Line`; `pipelines.n.v1.modules.lib.Shape`
    is `lib.Shape`.
    """
    plain = _MOVED.sub("", name)
    return plain if plain == name else plain.rpartition("<locals>.")[2]


def importable(code: Any) -> bool:
    """Whether another process finds this very class or function under its module and name.

    What a notebook defines lives in `__main__`, which is another module in another process; a module without a spec
    was made by hand and cannot be imported either.
    """
    name = getattr(code, "__module__", None)
    module = sys.modules.get(name) if isinstance(name, str) else None
    if module is None or name == "__main__" or getattr(module, "__spec__", None) is None:
        return False
    return _attribute(module, code.__qualname__) is code


def lives_in_notebook(kind: type) -> bool:
    """Whether a class was defined in `__main__`, inside a function, or in a module made by hand."""
    module = sys.modules.get(kind.__module__)
    by_hand = module is not None and getattr(module, "__spec__", None) is None
    return kind.__module__ == "__main__" or "<locals>" in kind.__qualname__ or (by_hand and not importable(kind))


def resolve(name: str) -> Any:
    """The class or function named `module:qualname`; raises ImportError or AttributeError."""
    module, _, qualname = name.partition(":")
    found: Any = importlib.import_module(module)
    for part in qualname.split("."):
        found = getattr(found, part)
    return found


def _attribute(found: Any, qualname: str) -> Any:
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return found
