"""Where the values of a JSON text lie in it, so that one can be changed and every other byte stays as it was.

A notebook is JSON, and whoever wrote it has chosen its indentation, its escapes and the order of its keys.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

_SPACE = re.compile(r"[ \t\r\n]*")
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_ATOM = re.compile(r"[^\s,\]}]+")


@dataclass
class Node:
    """One JSON value in a text.

    Attributes:
        start, end: where it lies.
        items: the nodes of an array.
        members: the nodes of an object, by key.
        keys: where each key of an object begins.
    """

    start: int
    end: int = 0
    items: list[Node] = field(default_factory=list)
    members: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, int] = field(default_factory=dict)


def parse(text: str) -> Node:
    """The places of all values of a JSON text, which must be valid."""
    return _value(text, _skip(text, 0))


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    assert match is not None
    return match.end()


def _value(text: str, at: int) -> Node:
    node = Node(at)
    if text[at] == '"':
        node.end = _text_end(text, at)
    elif text[at] in "[{":
        _fill(text, node)
    else:
        match = _ATOM.match(text, at)
        assert match is not None
        node.end = match.end()
    return node


def _text_end(text: str, at: int) -> int:
    """Where the text that begins at `at` ends."""
    match = _TEXT.match(text, at)
    assert match is not None
    return match.end()


def _fill(text: str, node: Node) -> None:
    """Read the parts of an array or object."""
    at = _skip(text, node.start + 1)
    while text[at] not in "]}":
        if text[node.start] == "{":
            after = _text_end(text, at)
            key = json.loads(text[at:after])
            node.keys[key] = at
            at = _skip(text, _skip(text, after) + 1)
            part = node.members[key] = _value(text, at)
        else:
            part = _value(text, at)
            node.items.append(part)
        at = _skip(text, part.end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    node.end = at + 1


def gap(text: str, around: Node, first: int) -> str:
    """The white space before the first part of an array or object."""
    return text[around.start + 1 : first]
