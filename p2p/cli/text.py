"""Texts from outside (names, values, errors, what cells print) as rich may print them."""

from __future__ import annotations

from rich import markup

from p2p.terminal import visible


def escape(text: str) -> str:
    """The text itself: no markup of rich, no control sequence of the terminal."""
    return markup.escape(visible(text))
