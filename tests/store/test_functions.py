"""A function of the notebook and its twin in a module: equal when they do the same with the same values."""

from __future__ import annotations

import math
from types import FunctionType
from typing import Any

import pytest

from p2p.store import difference

BODIES = {
    "reads": "def f(x):\n    return x * rate",
    "defaults": "def f(x, *, k=2, **more):\n    return [k * y for y in x]",
    "branches": "def f(x):\n    for y in x:\n        if y in {'a', 'b'}:\n            x += rate\n    return x",
    "module": "def f(x):\n    return math.cos(x) + rate",
    "lambda": "f = lambda x: max(x, rate)",
    "recursive": "def f(x):\n    return x if x < rate else f(x - 1)",
    "helper": "def g(x):\n    return x + rate\ndef f(x):\n    return g(g(x))",
}


def in_notebook(body: str, rate: int) -> Any:
    names: dict[str, Any] = {"__name__": "__main__", "rate": rate, "other": 1, "math": math}
    exec(body, names)
    return names["f"]


def in_step(body: str, rate: int) -> Any:
    """The same inside a function, where `rate` is the function's own, in a module with an import at its top."""
    names: dict[str, Any] = {"__name__": "pipelines.x.v1.steps"}
    inner = "".join(f"    {line}\n" for line in body.splitlines())
    exec(f"import math\ndef step(rate):\n{inner}    return f\n", names)
    return names["step"](rate)


@pytest.mark.parametrize("name", BODIES)
def test_the_twin_of_a_function_is_equal_and_one_with_another_value_is_not(name: str) -> None:
    body = BODIES[name]
    one = in_notebook(body, 3)
    assert isinstance(one, FunctionType)
    assert difference(one, in_step(body, 3)) is None
    assert difference([one], [in_notebook(body, 3)]) is None
    found = difference(one, in_step(body, 4))
    assert found is None if "rate" not in body else str(found).endswith("the 'rate' that it reads: 3 against 4")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(x):\n    return x + 1", "def f(x):\n    return x + 2"),
        ("def f(x):\n    return x + 1", "def f(y):\n    return y + 1"),
        ("def f(x):\n    return x + 1", "def f(x):\n    yield x + 1"),
        ("def f(x, k=1):\n    return k", "def f(x, k=2):\n    return k"),
        ("def f(x):\n    return x + rate", "def f(x):\n    return x + other"),
        ("def f(x):\n    return abs(x)", "def f(x):\n    return round(x)"),
        ("def f(x):\n    return x.real", "def f(x):\n    return x.imag"),
        ("def f(x):\n    return 1.0", "def f(x):\n    return 1"),
        ("def f(x):\n    return x if x > 1 else 0", "def f(x):\n    return 0 if x > 1 else x"),
        ("def f(x):\n    return [y for y in x if y]", "def f(x):\n    return [y for y in x if not y]"),
        ("def f(*x):\n    return x", "def f(x):\n    return x"),
        ("async def f(x):\n    yield x", "def f(x):\n    yield x"),
        (
            "def f(x):\n    try:\n        x()\n        x()\n    except ValueError:\n        pass",
            "def f(x):\n    x()\n    try:\n        x()\n    except ValueError:\n        pass",
        ),
    ],
)
def test_functions_that_do_something_else_differ(one: str, other: str) -> None:
    assert difference(in_notebook(one, 3), in_notebook(other, 3)) is not None
    assert difference(in_notebook(one, 3), in_notebook(one, 3)) is None


def test_a_global_that_only_a_function_inside_reads_counts_though_the_outer_one_has_its_own() -> None:
    body = "def f(x):\n    rate = 1\n    def g():\n        global rate\n        return rate\n    return g() + rate"
    one = in_notebook(body, 3)
    assert difference(one, in_notebook(body, 3)) is None
    assert difference(one, in_notebook(body, 4)) == "the 'rate' that it reads: 3 against 4"
