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


# Calls whose items are those of their arguments.
_SAME_ITEMS = {"enumerate", "zip", "reversed", "sorted", "list", "tuple", "iter", "values", "items"}


def roots(node: ast.expr) -> list[ast.Name]:
    """The names at the start of `name.a[b].c`, `(a if x else b).c`, `[a, b][0]`, `vars(a)`; none of other calls."""
    inside = False
    while part := _part_of(node):
        node, inside = part, True
    if inside and isinstance(node, ast.Tuple | ast.List):
        return [name for element in node.elts for name in roots(element)]
    return same_object(node)


def _part_of(node: ast.expr) -> ast.expr | None:
    """What this is a part of, as far as its text tells."""
    if isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        return node.value
    if not isinstance(node, ast.Call):
        return None
    if isinstance(node.func, ast.Attribute):
        return node.func.value if node.func.attr == "get" else None
    return node.args[0] if _called(node) in ("vars", "getattr") and node.args else None


def same_object(node: ast.expr) -> list[ast.Name]:
    """The names whose very object an expression may give: `a`, `a or b`, `a if x else b`, `(c := a)`."""
    if isinstance(node, ast.Name):
        return [node]
    if isinstance(node, ast.NamedExpr):
        return [node.target, *same_object(node.value)]
    choices = node.values if isinstance(node, ast.BoolOp) else []
    choices = [node.body, node.orelse] if isinstance(node, ast.IfExp) else choices
    return [name for choice in choices for name in same_object(choice)]


def items_of(node: ast.expr) -> list[ast.Name]:
    """The names whose objects, or parts of them, a loop may give: over `rows`, `enumerate(rows)`, `(train, test)`."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return [name for element in node.elts for name in roots(element)]
    if not isinstance(node, ast.Call):
        return roots(node)
    if _called(node) not in _SAME_ITEMS:
        return []
    method = [node.func.value] if isinstance(node.func, ast.Attribute) else []
    return [name for argument in [*method, *node.args] for name in items_of(argument)]


def aliases(target: ast.expr, value: ast.expr) -> list[tuple[ast.Name, ast.Name]]:
    """(name, name) of an assignment: after it, what changes the object of the first may change that of the second."""
    if isinstance(target, ast.Tuple | ast.List):
        together = isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts)
        values = value.elts if isinstance(value, ast.Tuple | ast.List) and together else [value] * len(target.elts)
        return [pair for one, other in zip(target.elts, values, strict=True) for pair in aliases(one, other)]
    return [(target, name) for name in same_object(value)] if isinstance(target, ast.Name) else []


def mutated_by(call: ast.Call) -> list[ast.Name]:
    """The names whose objects this call may change in place."""
    changed: list[ast.expr] = []
    if isinstance(call.func, ast.Attribute) and (call.func.attr in METHODS or _in_place(call)):
        changed.append(call.func.value)
    if _called(call) in FIRST_ARGUMENT and call.args:
        changed.append(call.args[0])
    changed += [keyword.value for keyword in call.keywords if keyword.arg == "out"]
    return [name for node in changed for name in roots(node)]


def _called(call: ast.Call) -> str:
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def _in_place(call: ast.Call) -> bool:
    values = [keyword.value for keyword in call.keywords if keyword.arg == "inplace"]
    return any(not (isinstance(value, ast.Constant) and not value.value) for value in values)
