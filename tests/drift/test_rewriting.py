"""Other code in a cell: the bytes of what stays, whatever escapes it was written with."""

from __future__ import annotations

import json

import pytest

from p2p.drift.rewriting import with_code

CELL = '{"cells": [{"source": %s, "cell_type": "code"}, {"source": "x = 1"}], "nbformat": 4}'


def rewritten(source: str, new: str) -> str:
    head, tail = CELL.split("%s")
    text = with_code(CELL % source, {0: new})
    assert text.startswith(head)
    assert text.endswith(tail)
    return text[len(head) : -len(tail)]


@pytest.mark.parametrize(
    ("source", "new", "written"),
    [
        (r'["a\/b\n", "\u00fc\n", "c"]', "a/b\nü\nd", r'["a\/b\n", "\u00fc\n", "d"]'),
        (r'["a\/b\n", "ü\n", "c"]', "a/b\nß\nc", r'["a\/b\n", "ß\n", "c"]'),
        (r'["\u00fc\n", "c"]', "ü\nß", r'["\u00fc\n", "\u00df"]'),
        ('[\n  "a\\n",\n  "b"\n ]', "a\nc\nb", '[\n  "a\\n",\n  "c\\n",\n  "b"\n ]'),
        ('"a\\nb"', "a\nc", '"a\\nc"'),
        (r'"\u00fc"', "ß", r'"\u00df"'),
        ("[]", "a", '["a"]'),
        ('["a"]', "", "[]"),
    ],
)
def test_lines_that_stay_keep_their_bytes(source: str, new: str, written: str) -> None:
    assert rewritten(source, new) == written


def test_several_cells_are_rewritten_at_once() -> None:
    text = with_code(CELL % '["a"]', {0: "longer than before", 1: "y"})
    assert [cell["source"] for cell in json.loads(text)["cells"]] == [["longer than before"], "y"]
