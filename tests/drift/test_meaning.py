"""What counts as the same code, and what does not: a change is never hidden by giving a local another name."""

from __future__ import annotations

import ast

import pytest

from p2p.drift.meaning import meaning


def same(before: str, after: str, arguments: tuple[dict[str, str], dict[str, str]] = ({}, {})) -> bool:
    """Whether two functions mean the same; imports above them count as the module's."""
    first, second = (
        meaning(tree.body[-1], {name: text for node in tree.body[:-1] for name, text in bound(node)}, known)
        for tree, known in zip((ast.parse(before), ast.parse(after)), arguments, strict=True)
    )
    return first == second


def bound(node: ast.stmt) -> list[tuple[str, str]]:
    from p2p.export.units import bindings

    return list(bindings(node))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def f(a):\n    x = a\n    return x", "def f(a):\n    y=a  # less\n    return (y)"),
        ("def f(a: int) -> int:\n    'One.'\n    return a", "def f(a):\n    return a"),
        ("def f(a):\n    return a", "def g(a):\n    return a"),
        ("def f():\n    return [x for x in y]", "def f():\n    return [z for z in y]"),
        ("def f():\n    def g(): return h()\n    return g", "def f():\n    def k(): return h()\n    return k"),
        ("def f():\n    try: g()\n    except E as e: print(e)", "def f():\n    try: g()\n    except E as x: print(x)"),
        ("def f(v):\n    match v:\n        case [a, *b]: return a, b",
         "def f(v):\n    match v:\n        case [c, *d]: return c, d"),
        ("def f():\n    n = 0\n    def g():\n        nonlocal n\n        n += 1\n    return g",
         "def f():\n    m = 0\n    def g():\n        nonlocal m\n        m += 1\n    return g"),
        ("import numpy as np\ndef f():\n    return np.pi", "import numpy\ndef f():\n    return numpy.pi"),
        ("from a import b\ndef f():\n    return b", "from a import b as c\ndef f():\n    return c"),
    ],
)  # fmt: skip
def test_layout_annotations_docstrings_and_the_names_of_locals_do_not_count(before: str, after: str) -> None:
    assert same(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def f(a):\n    x = a\n    y = 1\n    return x", "def f(a):\n    x = a\n    y = 1\n    return y"),
        ("def f():\n    return VAT", "def f():\n    return TAV"),
        ("def f():\n    return x.a", "def f():\n    return x.b"),
        ("def f():\n    return g(a=1)", "def f():\n    return g(b=1)"),
        ("def f():\n    def g(a, b): return a - b\n    return g(a=1, b=2)",
         "def f():\n    def g(b, a): return b - a\n    return g(a=1, b=2)"),
        ("def f():\n    limit = 3\n    return d.query('a > @limit')",
         "def f():\n    cap = 3\n    return d.query('a > @limit')"),
        ("def f():\n    x = 1\n    return locals()", "def f():\n    y = 1\n    return locals()"),
        ("def f():\n    x = 1\n    return f'{x=}'", "def f():\n    y = 1\n    return f'{y=}'"),
        ("def f():\n    class A: pass\n    return A", "def f():\n    class B: pass\n    return B"),
        ("import numpy as np\ndef f():\n    return np.pi", "import cupy as np\ndef f():\n    return np.pi"),
        ("import a.b as c\ndef f():\n    return c.d", "import a.b\ndef f():\n    return a.d"),
        ("def f():\n    x = 1\n    global y\n    y = x", "def f():\n    x = 1\n    y = x"),
        ("def f(a=1):\n    return a", "def f(a=2):\n    return a"),
        ("def f():\n    x = g\n    return [x for x in x]", "def f():\n    x = g\n    return [x for y in x]"),
        ("def f(): return 1", "async def f(): return 1"),
    ],
)  # fmt: skip
def test_what_the_code_does_counts(before: str, after: str) -> None:
    assert not same(before, after)


def test_arguments_are_known_by_what_they_are_given() -> None:
    wired = ({"a": "x_", "b": "y_"}, {"p": "y_", "q": "x_"})
    assert same("def f(a, b):\n    return a - b", "def f(p, q):\n    return q - p", wired)
    assert not same("def f(a, b):\n    return a - b", "def f(p, q):\n    return p - q", wired)
