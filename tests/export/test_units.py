"""A `steps.py` in units, and the marks by which an edit of one shows."""

from __future__ import annotations

import pytest

from p2p.export.units import cut_module

TEXT = '''"""The steps."""

import numpy as np
from a.b import c, d as e

np.seed(1)
np.seed(2)

RATE = 1
RATE = RATE + 1


def load(x: int) -> int:
    """Load (cell 1)."""
    # a comment
    y = c(x)
    return y


def own(x):
    """Mine."""
    return x
'''


def mark(text: str, name: str = "load") -> str:
    return cut_module(text, {"load"}).mark(name)


def test_units_are_known_by_name_and_imports_by_what_they_bind() -> None:
    module = cut_module(TEXT, {"load"})
    assert list(module.units) == ["statement", "statement 2", "RATE", "RATE 2", "load", "own"]
    assert module.imports == {"np": "import numpy as np", "c": "from a.b import c", "e": "from a.b import d as e"}


@pytest.mark.parametrize(
    ("old", "new"), [("(cell 1)", "(cell 2)"), ("x: int) -> int", "x: float)"), ("y = c(x)", "y = c( x )")]
)
def test_what_the_export_adds_to_a_cell_and_layout_are_no_edit(old: str, new: str) -> None:
    assert mark(TEXT.replace(old, new)) == mark(TEXT)


@pytest.mark.parametrize(("old", "new"), [("# a comment", "# another"), ("c(x)", "c(-x)"), ("load(x:", "load(z:")])
def test_code_comments_and_arguments_are(old: str, new: str) -> None:
    assert mark(TEXT.replace(old, new)) != mark(TEXT)


def test_the_docstring_of_a_function_of_the_author_s_own_is_part_of_it() -> None:
    assert mark(TEXT.replace("Mine.", "Yours."), "own") != mark(TEXT, "own")


def test_inputs_and_outputs_of_a_cell_have_no_order() -> None:
    one, other = "def load(a, b):\n    return c, d\n", "def load(b, a):\n    return d, c\n"
    assert mark(one) == mark(other)
    assert mark(one.replace("load", "own"), "own") != mark(other.replace("load", "own"), "own")
