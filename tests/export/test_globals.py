"""`global` in a step's cell, written as `nonlocal` in the function that the cell becomes."""

from __future__ import annotations

import textwrap

import pytest

from p2p.export.globals import can_be_nonlocal, with_nonlocals
from p2p.export.statements import Statement, split_statements


def body_of(text: str) -> list[Statement]:
    return split_statements(textwrap.dedent(text), 1)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("def f():\n    global a\n    a = 1", "def f():\n    nonlocal a\n    a = 1"),
        ("# why\ndef f():\n    global a, k  # both", "# why\ndef f():\n    nonlocal a; global k  # both"),
        ("def f():\n    'ä'; global k, \\\n        a\n    a = 1", "def f():\n    'ä'; nonlocal a; global k\n    a = 1"),
        ("class C:\n    global a\n    a = 1", "class C:\n    nonlocal a\n    a = 1"),
        ("text = 'global a'", "text = 'global a'"),
    ],
)  # fmt: skip
def test_only_the_names_of_the_step_are_written_anew(text: str, written: str) -> None:
    assert [with_nonlocals(s, {"a"}).source for s in body_of(text)] == [written]


INNER = "def f():\n    def g():\n        global a\n        a = 2\n"


@pytest.mark.parametrize(
    ("text", "inputs", "can"),
    [
        ("a = 1\n" + INNER, (), True),
        (INNER, ("a",), True),
        (INNER, (), False),
        ("a = 1\n" + INNER + "    a = 3", (), False),
        ("a = 1\nclass f:\n    a = 3\n    def g():\n        global a\n        a = 2", (), True),
        ("a = 1\nglobal a", ("a",), False),
        ("for a in xs:\n    pass\n" + INNER, (), True),
    ],
)
def test_a_name_that_another_function_hides_stays_global(text: str, inputs: tuple[str, ...], can: bool) -> None:
    assert can_be_nonlocal("a", body_of(text), inputs) == can
