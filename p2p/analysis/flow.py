"""What is bound at one point of the code: surely, on every way there, or possibly, on some way there."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import reduce

# Context managers that go on after an error in their body, so that what the body binds may be missing.
_SUPPRESSING = {"suppress", "raises", "assertRaises", "ignored"}
# Calls that give as many items as their first argument has.
_SAME_LENGTH = {"enumerate", "sorted", "reversed", "list", "tuple", "set", "iter", "tqdm", "track"}


@dataclass(frozen=True, slots=True)
class Flow:
    """Names bound by the code up to one point.

    Attributes:
        bound: bound on every way to this point.
        maybe: bound on at least one way; holds all of `bound`.
        dead: nothing comes here (after `raise`, `return`, `break`, `continue`).
    """

    bound: frozenset[str] = frozenset()
    maybe: frozenset[str] = frozenset()
    dead: bool = False

    def bind(self, name: str) -> Flow:
        return self if self.dead else replace(self, bound=self.bound | {name}, maybe=self.maybe | {name})

    def possibly(self, names: Iterable[str]) -> Flow:
        return self if self.dead else replace(self, maybe=self.maybe.union(names))

    def unsure(self, names: Iterable[str]) -> Flow:
        """As this, with `names` no longer surely bound."""
        return replace(self, bound=self.bound.difference(names))

    def unbind(self, name: str) -> Flow:
        return replace(self, bound=self.bound - {name}, maybe=self.maybe - {name})


DEAD = Flow(dead=True)


def join(*flows: Flow) -> Flow:
    """What holds where several ways meet."""
    alive = [flow for flow in flows if not flow.dead]
    return reduce(lambda a, b: Flow(a.bound & b.bound, a.maybe | b.maybe), alive) if alive else DEAD


def suppresses_errors(items: Collection[ast.withitem]) -> bool:
    """Whether a `with` of these items may go on after an error, as far as its text tells."""
    return any(_called_name(item.context_expr) in _SUPPRESSING for item in items)


def runs_at_least_once(iterable: ast.expr) -> bool:
    """Whether a loop over this surely has a first item: a display with items, `range(3)`, `enumerate((1, 2))`."""
    if isinstance(iterable, (ast.Tuple, ast.List, ast.Set)):
        return any(not isinstance(item, ast.Starred) for item in iterable.elts)
    if isinstance(iterable, ast.Constant):
        return isinstance(iterable.value, (str, bytes)) and bool(iterable.value)
    if isinstance(iterable, ast.Dict):
        return any(key is not None for key in iterable.keys)
    if not isinstance(iterable, ast.Call) or not iterable.args:
        return False
    name = _called_name(iterable)
    if name == "range":
        return _range_has_items(iterable.args)
    return name in _SAME_LENGTH and runs_at_least_once(iterable.args[0])


def _range_has_items(arguments: list[ast.expr]) -> bool:
    try:
        return len(range(*[ast.literal_eval(argument) for argument in arguments])) > 0
    except (ValueError, TypeError, OverflowError):
        return False


def _called_name(node: ast.expr) -> str:
    func = node.func if isinstance(node, ast.Call) else None
    return str(getattr(func, "id", getattr(func, "attr", "")))


def always_matches(case: ast.match_case) -> bool:
    """Whether a `case` takes whatever comes: no guard, and a bare name or `_`."""
    return case.guard is None and _irrefutable(case.pattern)


def _irrefutable(pattern: ast.pattern) -> bool:
    if isinstance(pattern, ast.MatchOr):
        return any(_irrefutable(part) for part in pattern.patterns)
    return isinstance(pattern, ast.MatchAs) and (pattern.pattern is None or _irrefutable(pattern.pattern))
