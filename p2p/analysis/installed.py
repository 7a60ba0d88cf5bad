"""Which installed distribution has a module: scikit-learn has `sklearn`.

`importlib.metadata.packages_distributions` answers for all modules at once, and looks for each file of each
distribution to do so: 0.4 s where some hundred are installed, in every process that asks.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import metadata

_FILES = ("RECORD", "SOURCES.txt", "installed-files.txt")  # of wheels, of eggs, of what pip once installed by setup.py


@lru_cache(maxsize=1024)
def owners_of(module: str) -> tuple[str, ...]:
    """The names of the distributions that have this top-level module, in alphabetical order.

    Several have a namespace package; none has a module of Python's own or of the author's.
    """
    file = re.compile(rf"^{re.escape(module)}(/|\.py,|\.py$|\.[\w.-]*(so|pyd)[,\n])", re.MULTILINE)
    found = (one.name for one in metadata.distributions() if _has(one, module, file))
    return tuple(sorted(set(found)))


def version_of(module: str) -> str:
    """Names and versions of the distributions that have this top-level module, as one text; empty for none."""
    return " ".join(f"{name} {metadata.version(name)}" for name in owners_of(module))


def _has(distribution: metadata.Distribution, module: str, file: re.Pattern[str]) -> bool:
    declared = (distribution.read_text("top_level.txt") or "").split()
    if declared:
        return module in declared
    return any(file.search(distribution.read_text(name) or "") for name in _FILES)
