from __future__ import annotations

import ast

import pytest

from p2p.export.statements import indent, split_statements


def sources(text: str) -> list[str]:
    return [statement.source for statement in split_statements(text, 1)]


def test_a_statement_keeps_the_comments_directly_above_it_and_on_its_lines() -> None:
    text = "# not this one\n\n# why\n# in two lines\na = 1  # grams\nb = 2"
    assert sources(text) == ["# why\n# in two lines\na = 1  # grams", "b = 2"]


def test_a_comment_goes_to_one_statement_only() -> None:
    assert sources("a = 1  # first\n# second\nb = 2") == ["a = 1  # first", "# second\nb = 2"]


def test_a_decorator_belongs_to_its_function() -> None:
    text = "# cached\n@cache\n@other(1)\ndef f():\n    return 1"
    assert sources(text) == [text]


@pytest.mark.parametrize("text", ["a = 1; b = 2", "a = 1 ;b = 2", "é = 1; b = 2", "a = '''x\ny'''; b = 2"])
def test_statements_that_share_a_line_come_apart(text: str) -> None:
    found = sources(text)
    assert len(found) == 2
    assert [ast.dump(ast.parse(part).body[0]) for part in found] == [ast.dump(node) for node in ast.parse(text).body]


@pytest.mark.parametrize("mark", ["\u2028", "\x0c", "\x85", "\x1d"])
def test_only_what_ends_a_line_for_python_ends_one_here(mark: str) -> None:
    assert sources(f"a = 'x{mark}y'  # c\nb = 2") == [f"a = 'x{mark}y'  # c", "b = 2"]


def test_a_trailing_semicolon_does_not_stay() -> None:
    assert sources("a = 1;") == ["a = 1"]


@pytest.mark.parametrize(
    "text",
    [
        'text = """\n  two\n\n    four\n"""',
        "text = f'''\n  {1 +\n  1}\n    four'''",
        "data = b'''\n  two'''",
        "pair = ('''a\n  b''',\n    '''c\nd''')",
        "if True:\n    text = '''\n  x'''\n\nelse:\n    text = ''",
        "text = 'a\\\n  b'",
        "text = ('a'\n   'b')",
        "text = 'a\u2028b\x0c'\nmore = 1",
    ],
)
def test_indenting_code_changes_no_string(text: str) -> None:
    given: dict[str, object] = {}
    exec(f"def f():\n{indent(text)}\n    return locals()", given)
    plain: dict[str, object] = {}
    exec(text, plain)
    del plain["__builtins__"]
    assert given["f"]() == plain  # type: ignore[operator]  # it is the function above


def test_indenting_leaves_empty_lines_empty() -> None:
    assert indent("a = 1\n\nb = 2") == "    a = 1\n\n    b = 2"
