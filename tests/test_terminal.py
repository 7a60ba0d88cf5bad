from __future__ import annotations

import pytest

from p2p.terminal import visible, without_surrogates


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 🐧\tand\nlines", "plain é 🐧\tand\nlines"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x1b]52;c;Y3VybA==\x1b\\", r"\x1b]52;c;Y3VybA==\x1b\\"[:-1]),
        ("\x1b[2J\x1b[H", r"\x1b[2J\x1b[H"),
        ("\x9b2J", r"\x9b2J"),  # the same in one character
        ("50%\r100%\r\n", "50%\n100%\n"),
        ("a\x00b\x08", r"a\x00b\x08"),
        ("user\u202etxt.exe", r"user\u202etxt.exe"),
        ("line\u2028line", r"line\u2028line"),
        ("\ud800", r"\ud800"),
        ("👩\u200d🔬", "👩\u200d🔬"),
    ],
)
def test_control_sequences_are_shown_and_not_obeyed(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_lone_surrogates_are_written_as_their_escapes_at_any_depth() -> None:
    data = {"a\ud800": ["b\udcff", 1, None, ("c",)]}
    assert without_surrogates(data) == {r"a\ud800": [r"b\udcff", 1, None, ["c"]]}
