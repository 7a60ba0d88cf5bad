"""Several values in one text of the command line: `1,2,3`, `"a,b",c`, `[1,2],[3]`. Knows types, and no parameters.

Commas part values. A value of text that begins with a double quote goes to the next one, as in CSV; there `""` is a
quote. For a parameter that is no text, a value is JSON: commas inside its brackets and quotes part nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from p2p.params.annotation import is_text

_PAIRS = {"[": "]", "{": "}"}


class Unclosed(ValueError):
    """A quote or a bracket that is opened and not closed."""


def values_in(text: str, annotation: Any) -> list[str]:
    """The values that a text lists for a parameter of this type; raises Unclosed."""
    return list(_quoted(text)) if is_text(annotation) else list(_json_pieces(text))


def _quoted(text: str) -> Iterator[str]:
    rest, more = text, True
    while more:
        if rest.startswith('"'):
            value, rest = _until_quote(rest[1:])
            if rest and not rest.startswith(","):
                raise Unclosed("something stands between a closing quote and the next comma")
            more, rest = bool(rest), rest[1:]
        else:
            value, comma, rest = rest.partition(",")
            more = bool(comma)
        yield value


def _until_quote(text: str) -> tuple[str, str]:
    """The text up to the quote that closes it, and what comes after that."""
    found: list[str] = []
    while True:
        part, quote, text = text.partition('"')
        found.append(part)
        if not quote:
            raise Unclosed("a quote is not closed")
        if not text.startswith('"'):
            return "".join(found), text
        found.append('"')
        text = text[1:]


@dataclass
class _State:
    """Where in a JSON text we are."""

    closing: list[str]
    quoted: bool = False
    escaped: bool = False

    def take(self, char: str, *, first: bool) -> bool:
        """Whether this character parts two values."""
        if self.escaped:
            self.escaped = False
        elif self.quoted:
            self.escaped, self.quoted = char == "\\", char != '"'
        elif char == '"':
            self.quoted = first or bool(self.closing)
        elif char in _PAIRS and (first or self.closing):
            self.closing.append(_PAIRS[char])
        elif self.closing and char == self.closing[-1]:
            self.closing.pop()
        else:
            return char == "," and not self.closing
        return False


def _json_pieces(text: str) -> Iterator[str]:
    state = _State([])
    began, first = 0, True
    for place, char in enumerate(text):
        parts = state.take(char, first=first)
        first = parts or (first and char.isspace())
        if parts:
            yield text[began:place].strip()
            began = place + 1
    if state.quoted or state.closing:
        raise Unclosed("a quote is not closed" if state.quoted else f"'{state.closing[-1]}' is missing")
    yield text[began:].strip()
