"""Points from a file: what is in it is taken as data, and everything that is wrong with it is told, with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from p2p.errors import ParameterError
from p2p.sweep.files import read_rows


def rows(folder: Path, text: str | bytes, name: str = "points.csv") -> list[tuple[str, dict[str, object]]]:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return [(row.where, {**row.given, **row.text}) for row in read_rows(path)]


def refusal(folder: Path, text: str | bytes, name: str = "points.csv") -> str:
    with pytest.raises(ParameterError) as caught:
        rows(folder, text, name)
    return str(caught.value)


def test_a_row_is_a_point_and_an_empty_cell_gives_nothing(tmp_path: Path) -> None:
    assert rows(tmp_path, "a,b\n1,x\n\n2,\n") == [
        ("line 2 of points.csv", {"a": "1", "b": "x"}),
        ("line 4 of points.csv", {"a": "2"}),
    ]


def test_a_byte_order_mark_windows_lines_and_quoted_cells_are_understood(tmp_path: Path) -> None:
    text = '\ufeffa, b\r\n"1,5","two\r\nlines"\r\n"[1,2]","say ""hi"""\r\n'
    assert [given for _, given in rows(tmp_path, text)] == [
        {"a": "1,5", "b": "two\r\nlines"},
        {"a": "[1,2]", "b": 'say "hi"'},
    ]


def test_formulas_and_code_in_cells_are_text(tmp_path: Path) -> None:
    found = rows(tmp_path, 'a\n=1+1\n"__import__(""os"")"\n{a}\n')
    assert [given["a"] for _, given in found] == ["=1+1", '__import__("os")', "{a}"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no points"),
        ("a,b\n", "has no points"),
        ("\n\n", "has no points"),
        ("a,a\n1,2\n", "two columns are named 'a'"),
        ("a,,b\n1,2,3\n", "column 2 has no name"),
        ("a;b\n1;2\n", "parted by ';'"),
        ("a,b\n1\n1,2,3\n", "line 2: 1 cells, and the header has 2. "),
        ('a\n"never closed\n', "line 2"),
        ("a\n" + "x" * 200_000 + "\n", "line 2: field larger than field limit"),
        (b"a\n\xff\xfe\n", "line 2: not UTF-8 text"),
        ("a\n" + "1\n" * 600_000, "over 1 MiB"),
    ],
)
def test_a_table_that_is_no_table_is_refused(tmp_path: Path, text: str | bytes, told: str) -> None:
    assert told in refusal(tmp_path, text)


def test_every_line_that_does_not_fit_is_told_at_once(tmp_path: Path) -> None:
    text = refusal(tmp_path, "a,b\n1\n1,2\n1,2,3\n")
    assert "line 2: 1 cells" in text
    assert "line 4: 3 cells" in text


def test_a_list_of_mappings_is_points(tmp_path: Path) -> None:
    told = [("point 1 of p.yaml", {"a": 1}), ("point 2 of p.yaml", {"a": 2, "b": [1]})]
    assert rows(tmp_path, "- a: 1\n- a: 2\n  b: [1]\n", "p.yaml") == told
    assert [given for _, given in rows(tmp_path, json.dumps([{"a": 1}, {"b": None}]), "p.json")] == [
        {"a": 1},
        {"b": None},
    ]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("p.yaml", "a: 1\n", "must be a list of mappings"),
        ("p.yaml", "- 1\n", "point 1"),
        ("p.yaml", "[]\n", "has no points"),
        ("p.yaml", "- a: &x 1\n- a: *x\n", "anchors and aliases are not allowed"),
        ("p.json", '[{"a": 1, "a": 2}]', "given twice"),
        ("p.txt", "a\n1\n", "ends in .csv"),
    ],
)
def test_what_is_no_list_of_mappings_is_refused(tmp_path: Path, name: str, text: str, told: str) -> None:
    assert told in refusal(tmp_path, text, name)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"none\.csv"):
        read_rows(tmp_path / "none.csv")
