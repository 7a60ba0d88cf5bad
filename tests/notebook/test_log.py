from __future__ import annotations

import io

from p2p.notebook.log import LineLog
from p2p.secrets import MASK, Masker


def logged(*pieces: str) -> str:
    file = io.StringIO()
    log = LineLog(file, Masker(["swordfish"]))
    for piece in pieces:
        log.write(piece)
    log.flush()
    return file.getvalue()


def test_the_log_shows_whole_lines_so_that_no_secret_slips_through_in_pieces() -> None:
    assert logged("a sword", "fish b\nc", "d\n", "end") == f"a {MASK} b\ncd\nend"


def test_the_log_does_not_obey_control_sequences_that_come_in_pieces() -> None:
    assert logged("\x1b", "]0;title\x07\n", "10%\r20%\r") == "\\x1b]0;title\\x07\n10%\n20%\n"


def test_a_line_is_shown_when_it_is_complete() -> None:
    file = io.StringIO()
    LineLog(file, Masker()).write("done\nnot yet")
    assert file.getvalue() == "done\n"
