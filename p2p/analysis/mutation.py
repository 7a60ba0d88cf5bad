"""What code may change in place, as far as its text tells: "may", because no method says so.

The lists hold well-known names. A method that changes its object under another name is found by the digests of a
recorded run, not here.
"""

from __future__ import annotations

import ast

METHODS = frozenset(
    {
        # lists, sets, dicts, deques, counters
        *("append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse", "update", "setdefault", "add"),
        *("discard", "popitem", "appendleft", "extendleft", "popleft", "rotate", "move_to_end", "subtract"),
        *("difference_update", "intersection_update", "symmetric_difference_update"),
        # numpy, scikit-learn, PyTorch, files
        *("fill", "resize", "fit", "partial_fit", "fit_transform", "fit_predict", "load_state_dict"),
        *("write", "writelines"),
    }
)
"""Methods that change the object they are called on."""

FIRST_ARGUMENT = frozenset(
    {
        *("shuffle", "heappush", "heappop", "heapify", "heapreplace", "heappushpop"),
        *("insort", "insort_left", "insort_right"),
        *("setattr", "delattr", "next", "fill_diagonal", "copyto", "putmask"),
    }
)
"""Functions and methods that change their first argument."""


def root(node: ast.expr) -> ast.Name | None:
    """The name at the start of `name.a[b].c`; None where the chain starts with something else, such as a call."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
        node = node.value
    return node if isinstance(node, ast.Name) else None


def mutated_by(call: ast.Call) -> list[ast.Name]:
    """The names whose objects this call may change in place."""
    changed: list[ast.expr] = []
    if isinstance(call.func, ast.Attribute) and (call.func.attr in METHODS or _in_place(call)):
        changed.append(call.func.value)
    if _called(call) in FIRST_ARGUMENT and call.args:
        changed.append(call.args[0])
    changed += [keyword.value for keyword in call.keywords if keyword.arg == "out"]
    return [name for name in map(root, changed) if name is not None]


def _called(call: ast.Call) -> str:
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def _in_place(call: ast.Call) -> bool:
    values = [keyword.value for keyword in call.keywords if keyword.arg == "inplace"]
    return any(not (isinstance(value, ast.Constant) and not value.value) for value in values)
