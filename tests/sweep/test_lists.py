"""How several values are written in one text: as CSV for text, as JSON for anything else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, SecretStr

from p2p.sweep.lists import Unclosed, values_in


@pytest.mark.parametrize(
    ("text", "annotation", "values"),
    [
        ("1,2,3", int, ["1", "2", "3"]),
        ("1", int, ["1"]),
        (" 1, 2 ", int, ["1", "2"]),
        ("a,b", str, ["a", "b"]),
        ("a, b", str, ["a", " b"]),  # as in CSV: a space belongs to the text
        ("", str, [""]),
        ("a,", str, ["a", ""]),
        ('"a,b",c', str, ["a,b", "c"]),
        ('"say ""hi""",x', str, ['say "hi"', "x"]),
        ('5" pipe,x', str, ['5" pipe', "x"]),  # a quote inside a text is a quote
        ("a[0,b]", str, ["a[0", "b]"]),
        ('"x",', str, ["x", ""]),
        ("[1,2],[3]", list[int], ["[1,2]", "[3]"]),
        ('{"a":1,"b":2},{"a":3}', dict[str, int], ['{"a":1,"b":2}', '{"a":3}']),
        ('["a,]","b"],[]', list[str], ['["a,]","b"]', "[]"]),
        ('["a\\",b"],[]', list[str], ['["a\\",b"]', "[]"]),
        ('"a,b",c', Literal["a,b", "c"], ['"a,b"', "c"]),
        ("[1,2],null", list[int] | None, ["[1,2]", "null"]),
        ("0.1,0.2", Annotated[float, Field(gt=0)], ["0.1", "0.2"]),
        ("a,b", SecretStr, ["a", "b"]),
        ("2024-01-01,2024-02-01", Any, ["2024-01-01", "2024-02-01"]),
        ("data/a.csv,data/b.csv", Path, ["data/a.csv", "data/b.csv"]),
    ],
)
def test_a_text_lists_values(text: str, annotation: Any, values: list[str]) -> None:
    assert values_in(text, annotation) == values


@pytest.mark.parametrize(
    ("text", "annotation"), [('"a,b', str), ('"a"b,c', str), ("[1,2", list[int]), ('["a]', list[str]), ("{", dict)]
)
def test_what_is_not_closed_is_refused(text: str, annotation: Any) -> None:
    with pytest.raises(Unclosed):
        values_in(text, annotation)


@given(st.lists(st.text(), min_size=1))
def test_any_texts_can_be_listed_in_quotes(texts: list[str]) -> None:
    quoted = ",".join('"' + text.replace('"', '""') + '"' for text in texts)
    assert values_in(quoted, str) == texts
