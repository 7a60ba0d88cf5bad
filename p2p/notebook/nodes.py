"""nbformat, without the seconds that its import takes where a grammar of internationalized addresses is installed."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType

_GRAMMAR = "rfc3987_syntax"


def nbformat() -> ModuleType:
    """The module nbformat, imported when it is first asked for.

    It imports jsonschema, which imports `rfc3987_syntax` where that is there, as it is with every Jupyter; and that
    builds a parser when it is imported (3 of the 3.7 s that `import nbformat` takes). Only the formats "iri" and
    "iri-reference" need it, which no notebook has. So jsonschema is given a function that imports it on its first call.
    """
    if {"jsonschema", _GRAMMAR}.isdisjoint(sys.modules) and importlib.util.find_spec(_GRAMMAR) is not None:
        deferred = ModuleType(_GRAMMAR)
        deferred.is_valid_syntax = _is_valid_syntax  # type: ignore[attr-defined]  # a module's own
        sys.modules[_GRAMMAR] = deferred
        try:
            importlib.import_module("jsonschema")
        finally:
            del sys.modules[_GRAMMAR]
    return importlib.import_module("nbformat")


def _is_valid_syntax(term: str, text: str) -> bool:
    return bool(importlib.import_module(_GRAMMAR).is_valid_syntax(term, text))
