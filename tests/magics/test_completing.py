"""Completion of the magics, as Jupyter asks for it."""

from __future__ import annotations

from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter


def completed(shell: Any, text: str) -> set[str]:
    with provisionalcompleter():
        return {one.text for one in shell.shell.Completer.completions(text, len(text))}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("%p2p st", {"status", "store"}), ("%p2p ex", {"export"}), ("%p2p run --s", {"--stale"}), ("%p2p m", {"mark"}),
        ("%%step clean --re", {"--retries", "--retry-on"}), ("%%step clean --t", {"--timeout"}),
    ],
)  # fmt: skip
def test_a_word_is_completed(shell: Any, text: str, words: set[str]) -> None:
    assert words <= completed(shell, text)


def test_nothing_is_made_up(shell: Any) -> None:
    assert not completed(shell, "%p2p export --") & {"--stale", "--retries"}
    assert "status" not in completed(shell, "x = st")
