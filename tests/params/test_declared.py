from __future__ import annotations

import pytest

from p2p.errors import NotebookError
from p2p.params import Declared, declared


def only(source: str) -> Declared:
    (item,) = declared(source)
    return item


def test_the_three_forms_are_read_with_their_source_text() -> None:
    assert declared("month = 1\nshare: float = 0.2\nname: str\n") == (
        Declared("month", None, "1", "", 1),
        Declared("share", "float", "0.2", "", 2),
        Declared("name", "str", None, "", 3),
    )


def test_a_hash_inside_a_string_is_no_comment() -> None:
    item = only('title = "x # y"  # the title')
    assert (item.default, item.help) == ('"x # y"', "the title")


def test_help_is_the_comment_beside_before_the_comment_above() -> None:
    assert only("# above\nmonth = 1  # beside").help == "beside"
    assert only("# two\n# lines\nmonth = 1").help == "two lines"


@pytest.mark.parametrize("source", ["# far\n\nmonth = 1", "month = 1\n# below", "x_ = 1\nmonth = 1"])
def test_a_comment_that_does_not_touch_the_line_is_not_its_help(source: str) -> None:
    assert declared(source)[-1].help == ""


def test_a_comment_beside_one_line_is_not_the_help_of_the_next() -> None:
    assert [item.help for item in declared("a = 1  # first\nb = 2")] == ["first", ""]


def test_a_pragma_is_no_help() -> None:
    assert only("# what it is\nmonth = 1  # noqa: E501").help == "what it is"


def test_help_of_a_statement_over_several_lines_stands_at_its_end() -> None:
    item = only("days = [  # start\n    1,  # inner\n    2,\n]  # which days")
    assert (item.help, item.line) == ("which days", 1)


@pytest.mark.parametrize(
    ("source", "value"), [("x = (\n    1 +\n    2\n)", 3), ('x = ("a"\n     "b")', "ab"), ("x = 1, 2", (1, 2))]
)
def test_the_text_of_a_default_means_the_same_alone(source: str, value: object) -> None:
    assert eval(only(source).default or "") == value


def test_ipython_lines_are_dropped_and_lines_keep_their_numbers() -> None:
    source = "%load_ext p2p\n!ls 'unbalanced (\n!echo \\\n  more = 1\nmonth = 1  # help\n"
    assert declared(source) == (Declared("month", None, "1", "help", 5),)


@pytest.mark.parametrize("text", ['x = """\n%not magic\n!nor this\n"""', "x = (10\n% 3)", "x = 10 \\\n% 3"])
def test_a_percent_or_bang_inside_a_statement_is_kept(text: str) -> None:
    namespace: dict[str, object] = {}
    exec(text, namespace)
    assert eval(only("%magic\n" + text).default or "") == namespace["x"]


def test_imports_other_statements_and_private_names_are_no_parameters() -> None:
    source = (
        "import os\nfrom a import b\n_x = 1\nprint(1)\nfor i in []: pass\na.b = 1\nc[0] = 2\nmonth = 1\ndef f(): y = 1"
    )
    assert [item.name for item in declared(source)] == ["month"]


def test_of_two_declarations_the_last_counts() -> None:
    assert declared("a = 1\nb = 2\na: float = 3.0") == (
        Declared("b", None, "2", "", 2),
        Declared("a", "float", "3.0", "", 3),
    )


def test_one_value_for_two_names_declares_both() -> None:
    assert [(item.name, item.default) for item in declared("a = b = 1")] == [("a", "1"), ("b", "1")]


@pytest.mark.parametrize("source", ["ok = 1\nx = = 2", "ok = 1\nx = (", "ok = 1\nx = '"])
def test_what_is_not_python_is_refused_with_its_line(source: str) -> None:
    with pytest.raises(NotebookError, match="line 2"):
        declared(source)


def test_an_empty_cell_declares_nothing() -> None:
    assert declared("") == ()
