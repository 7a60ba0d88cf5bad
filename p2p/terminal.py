"""Texts from outside, as a terminal may show them: its control sequences are shown, not obeyed.

A cell's output, an error or a name may hold what moves the cursor, sets the title or writes to the clipboard.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

_COLOUR: Final = re.compile(r"\x1b\[[0-9;:]*m")
_KEPT: Final = {"\n", "\t"}
# Marks that turn the direction of writing can make a text read as what it is not.
_CATEGORIES: Final = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_JOINERS: Final = {"\u200d", "\u200c"}  # within emoji, and within words of several scripts


def visible(text: str) -> str:
    """The text without colours, each other control character written as its escape."""
    if text.isascii() and text.isprintable():
        return text
    plain = _COLOUR.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return "".join(_shown(character) for character in plain)


def without_surrogates(data: Any) -> Any:
    """Plain data with each lone surrogate, which no file or socket can hold, written as its escape."""
    if isinstance(data, str):
        return data.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(data, Mapping):
        return {without_surrogates(key): without_surrogates(item) for key, item in data.items()}
    if isinstance(data, list | tuple):
        return [without_surrogates(item) for item in data]
    return data


def _shown(character: str) -> str:
    if character in _KEPT or character in _JOINERS or unicodedata.category(character) not in _CATEGORIES:
        return character
    return character.encode("unicode_escape").decode("ascii")
