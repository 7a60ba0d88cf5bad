"""The names that `from module import *` gives, for modules that can be asked: Python's own, and installed ones.

To ask is to import the module, as the notebook does. A module that lies beside the notebook is not asked: it may be
another one by the time the notebook runs.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import sysconfig
from functools import cache
from pathlib import Path


@cache
def star_names(module: str) -> frozenset[str] | None:
    """What a star import of the module binds; None for a module that cannot be asked."""
    if not _is_installed(module.partition(".")[0]):
        return None
    try:
        found = importlib.import_module(module)
    except Exception:  # noqa: BLE001  # importing runs the module's code
        return None
    public = getattr(found, "__all__", None)
    return frozenset(public if public is not None else (name for name in vars(found) if not name.startswith("_")))


def _is_installed(package: str) -> bool:
    if package in sys.stdlib_module_names:
        return True
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return False
    places = [spec.origin, *(spec.submodule_search_locations or ())] if spec is not None else []
    libraries = {Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")}
    return any(library in Path(place).resolve().parents for place in places if place for library in libraries)
