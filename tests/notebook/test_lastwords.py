"""What a kernel's process prints past Jupyter is shown only when it died, and made harmless."""

from __future__ import annotations

import os

import pytest

from p2p.notebook.lastwords import LastWords
from p2p.secrets import MASK, Masker


def said(*pieces: bytes, error: Exception | None) -> None:
    try:
        with LastWords(Masker(["swordfish"])) as words:
            for piece in pieces:
                os.write(words.end, piece)
            if error is not None:
                raise error
    except RuntimeError:
        pass


def test_nothing_is_shown_of_a_kernel_that_lives(capfd: pytest.CaptureFixture[str]) -> None:
    said(b"swordfish\n", error=None)
    assert capfd.readouterr() == ("", "")


def test_the_end_of_what_a_dead_kernel_said_is_shown_without_secrets_and_control_sequences(
    capfd: pytest.CaptureFixture[str],
) -> None:
    said(b"a swordfish\n" * 2000, b"Fatal Python error: swordfish \x1b[2J\n", error=RuntimeError("the kernel died"))
    out, err = capfd.readouterr()
    assert out == ""
    assert err.endswith(f"Fatal Python error: {MASK} \\x1b[2J\n")
    assert set(err.splitlines()[:-1]) == {f"a {MASK}"}  # no line that was cut in the middle of the secret
    assert len(err) < 9000
