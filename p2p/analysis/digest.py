"""A digest of what a cell's code means: layout and comments change nothing, nor does the version of Python."""

from __future__ import annotations

import ast
from functools import lru_cache

import blake3

from p2p.analysis.transform import CELLS, parse_cell, too_deep

# Not meaning: load/store follows from the place; type comments and the `u` of a string change nothing.
_IGNORED = {"ctx", "type_comment", "kind", "type_ignores"}


@lru_cache(maxsize=CELLS)
def digest_source(source: str) -> str:
    """BLAKE3, 64 hex digits, of the code without comments, layout and step mark; docstrings count.

    Fields that are empty are left out, so that a field which a newer Python adds to its trees changes no digest.
    """
    tree = parse_cell(source)
    try:
        return blake3.blake3(_canonical(tree).encode("ascii")).hexdigest()
    except RecursionError as error:
        raise too_deep() from error


def _canonical(node: object) -> str:
    if isinstance(node, ast.Constant):
        return f"{type(node.value).__name__}:{node.value!a}"
    if isinstance(node, ast.JoinedStr):  # Python 3.12 puts empty texts between its parts
        parts = [part for part in node.values if not (isinstance(part, ast.Constant) and part.value == "")]
        return f"JoinedStr{_canonical(parts)}"
    if isinstance(node, ast.AST):
        fields = [f"{name}={_canonical(value)}" for name, value in ast.iter_fields(node) if _counts(name, value)]
        return f"{type(node).__name__}({','.join(fields)})"
    if isinstance(node, list):
        return f"[{','.join(_canonical(item) for item in node)}]"
    return ascii(node)


def _counts(name: str, value: object) -> bool:
    return name not in _IGNORED and value is not None and value != []
