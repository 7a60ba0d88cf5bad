"""Other code in some cells of a notebook's file, and every other byte as it was."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from p2p.analysis import split_lines
from p2p.errors import NotebookError
from p2p.notebook.places import Node, gap, parse


@dataclass(frozen=True)
class NewCode:
    """Other code in some cells, by their numbers; a change of a notebook's file."""

    sources: Mapping[int, str]

    def in_json(self, text: str, places: Mapping[int, int]) -> str:
        """See `p2p.notebook.rewriting.Change`."""
        return with_code(text, {places[number]: source for number, source in self.sources.items()})

    def in_cells(self, cells: list[Any], places: Mapping[int, int]) -> None:
        """See `p2p.notebook.rewriting.Change`."""
        for number, source in self.sources.items():
            cells[places[number]].source = source


def with_code(text: str, sources: Mapping[int, str]) -> str:
    """The text of a notebook with other sources of cells, by index among all cells.

    Raises:
        NotebookError: that cannot be done without changing something else; nothing was changed.
    """
    cells = parse(text).members["cells"].items
    result = text
    for index in sorted(sources, reverse=True):
        node = cells[index].members["source"]
        result = result[: node.start] + _source(text, node, sources[index]) + result[node.end :]
    if _joined(json.loads(result)) != _expected(json.loads(text), sources):
        raise NotebookError("The notebook's file cannot be edited without changing something else in it.")
    return result


def _source(text: str, node: Node, source: str) -> str:
    """A cell's source in the form and the escapes of the one that it replaces; lines that stay keep their bytes."""
    old = text[node.start : node.end]
    ascii_only = old.isascii() and "\\u" in old
    if not node.items:
        new = source if text[node.start] == '"' else [source]
        return json.dumps(new, ensure_ascii=ascii_only)
    lines = split_lines(source, keepends=True)
    written = [json.dumps(line, ensure_ascii=ascii_only) for line in lines]
    raw = [text[item.start : item.end] for item in node.items]
    same = difflib.SequenceMatcher(None, [json.loads(item) for item in raw], lines, autojunk=False)
    for at, place, size in same.get_matching_blocks():
        written[place : place + size] = raw[at : at + size]
    return (
        text[node.start : node.items[0].start]
        + _between(text, node).join(written)
        + text[node.items[-1].end : node.end]
    )


def _between(text: str, node: Node) -> str:
    """What stands between two lines of a source."""
    first, *rest = node.items
    return text[first.end : rest[0].start] if rest else f",{gap(text, node, first.start)}"


def _joined(document: Any) -> Any:
    for cell in document["cells"]:
        cell["source"] = "".join(cell["source"])
    return document


def _expected(document: Any, sources: Mapping[int, str]) -> Any:
    for index, source in sources.items():
        document["cells"][index]["source"] = source
    return _joined(document)
