"""What the analysis predicts, held against what Python does: the code runs in a namespace that records its names."""

from __future__ import annotations

import builtins
import random
from collections.abc import Iterator
from typing import Any

import pytest

from p2p.analysis import cell_names


class Outside(dict[str, Any]):
    """Stands for the builtins, where Python looks last, in every kind of scope: records what the code had not bound."""

    def __init__(self, names: dict[str, Any]) -> None:
        super().__init__(__import__=builtins.__import__)  # the interpreter looks this one up by itself
        self.names = names
        self.asked: set[str] = set()

    def __missing__(self, name: str) -> Any:
        if name in self.names:
            self.asked.add(name)
            return self.names[name]
        return vars(builtins)[name]


class Namespace(dict[str, Any]):
    """The globals of a cell that is about to run."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.outside = Outside(names)
        super().__init__(__name__="cell", __builtins__=self.outside)

    def run(self, source: str) -> None:
        exec(compile(source, "<cell>", "exec", dont_inherit=True), self)

    @property
    def asked(self) -> set[str]:
        return self.outside.asked

    @property
    def bound(self) -> set[str]:
        return {name for name in self if not name.startswith("__")}


def executed(source: str, names: dict[str, Any]) -> Namespace:
    """The namespace in which the source ran."""
    namespace = Namespace(names)
    namespace.run(source)
    return namespace


OUTSIDE: dict[str, Any] = {
    "a": 1,
    "b": 2,
    "xs": [1, 2, 3],
    "empty": [],
    "d": {"k": 1},
    "f": lambda *v, **k: v[0] if v else 0,
    "E": ValueError,
    "Base": object,
}

STRAIGHT = [
    "x = a + b\ny = x",
    "x = [i + a for i in xs]",
    "x, (y, z) = a, (b, a)",
    "x = 1\nx += b\ndel x\nz = a",
    "def g(q, r=b):\n    return q + r + a\nx = g(1)",
    "class C(Base):\n    k = a\n    def m(self):\n        return b\nx = C().m()",
    "import os.path as p, sys\nfrom json import loads as l",
    "x = f'{a}{b!r}'\ny = (lambda v, w=a: v + w + b)(1)",
    "x = {k: (v, a) for k, v in d.items()}\nd['new'] = b",
    "for i in (1, 2):\n    x = i + a\ny = x",
    "with open('/dev/null') as h:\n    x = h.read()\ny = f(*xs, **{'q': a})",
    "match a:\n    case v:\n        x = v + b",
    "if (w := a):\n    x = w + b",
    "try:\n    x = 1 / 0\nexcept ZeroDivisionError as e:\n    x = f(e)",
    "g = lambda: h()\ndef h():\n    return b\nx = g()",
    "def g():\n    global n\n    n = a\ng()\nx = 1",
]

# In these one way is taken of several, so that more is predicted than happens.
BRANCHED = [
    "if b > 5:\n    x = 1\ny = f(a)\nz = 1",
    "for i in empty:\n    x = a\ny = b",
    "while b < 0:\n    x = a\ny = 1",
    "try:\n    x = a\nexcept E as e:\n    y = b\nfinally:\n    z = 1",
    "x = a if b else xs",
    "x = a or b\ny = a > 3 > b",
    "match a:\n    case 7: x = b\n    case {'k': v}: x = v\n    case [v, *w]: x = w\n    case _: y = 1",
]


@pytest.mark.parametrize("source", STRAIGHT)
def test_straight_code_is_told_exactly(source: str) -> None:
    names = cell_names(source)
    namespace = executed(source, OUTSIDE)
    assert (set(names.reads), set(names.writes)) == (namespace.asked, namespace.bound)


@pytest.mark.parametrize("source", BRANCHED)
def test_branched_code_is_told_with_every_way(source: str) -> None:
    names = cell_names(source)
    namespace = executed(source, OUTSIDE)
    assert namespace.asked <= set(names.reads)
    assert set(names.writes) - set(names.maybe_writes) <= namespace.bound <= set(names.writes)


NAMES = ["p", "q", "r", "s", "t"]


def random_block(rng: random.Random, depth: int, in_loop: bool = False) -> Iterator[str]:
    for _ in range(rng.randint(1, 3)):
        yield from random_statement(rng, depth, in_loop)


def indented(rng: random.Random, depth: int, in_loop: bool = False) -> Iterator[str]:
    return ("    " + line for line in random_block(rng, depth - 1, in_loop))


def random_statement(rng: random.Random, depth: int, in_loop: bool) -> Iterator[str]:
    a, b, c = rng.choices(NAMES, k=3)
    simple = [f"{a} = {b}", f"{a} += {b}", f"{a} = [{b} for {c} in ({b},)]", f"{a} = ({c} := {b})", f"({a}, {b})"]
    simple += [f"del {a}", f"{a} = {b} and ({c} := {a})", f"{a} = (lambda: {b})()", f"{a} = 1 if {b} else {c}", "1 / 0"]
    simple += [f"{a} = g()", f"import sys as {a}"] + ["break", "continue"] * in_loop
    choice = rng.randint(0, 9) if depth else 9
    if choice == 0:
        yield from [
            f"if {a} and ({b} := {c}):",
            *indented(rng, depth, in_loop),
            "else:",
            *indented(rng, depth, in_loop),
        ]
    elif choice == 1:
        yield from [f"for {a} in range({rng.randint(0, 2)}):", *indented(rng, depth, True)]
    elif choice == 2:
        yield from [
            "try:",
            *indented(rng, depth, in_loop),
            f"except ZeroDivisionError as {a}:",
            *indented(rng, depth, in_loop),
        ]
        yield from rng.choice([[], ["else:", *indented(rng, depth, in_loop)]])
        yield from rng.choice([[], ["finally:", *indented(rng, depth)]])
    elif choice == 3:
        yield from ["def g():", f"    global {a}", *indented(rng, depth), f"    return {b}"]
    elif choice == 4:
        yield from ["def g():", *indented(rng, depth), f"    return {b}"]
    elif choice == 5:
        yield from ["class g:", *indented(rng, depth), f"    def m(self): return {b}", f"{a} = g().m()"]
    elif choice == 6:
        yield from [f"match {a}:", f"    case 0 as {b}:", *("    " + line for line in indented(rng, depth, in_loop))]
    else:
        yield rng.choice(simple)


class Number(int):
    """An outside value with which every statement above works."""

    def __add__(self, other: object) -> Number:
        return self

    __radd__ = __add__


@pytest.mark.parametrize("seed", range(300))
def test_no_read_or_write_of_random_code_is_missed(seed: int) -> None:
    rng = random.Random(seed)
    source = "\n".join(random_block(rng, depth=3))
    try:
        compile(source, "<cell>", "exec")
    except SyntaxError:  # such as `global p` after `p` was used
        pytest.skip("Python refuses this random code, so it cannot be run to see its names")
    outside: dict[str, Any] = {name: Number(rng.randint(0, 1)) for name in NAMES} | {"g": lambda: Number(1)}
    names = cell_names(source)
    namespace = Namespace(outside)
    try:
        namespace.run(source)
    except (NameError, TypeError, ZeroDivisionError, RecursionError):
        finished = False  # the cell read what it had deleted, divided by zero, or called itself
    else:
        finished = True
    assert namespace.asked <= set(names.reads), source
    if finished:
        surely = set(names.writes) - set(names.maybe_writes)
        assert surely <= namespace.bound <= set(names.writes), source
