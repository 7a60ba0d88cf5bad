"""Edits of a notebook's file that leave every other byte as it was.

A notebook is JSON, and whoever wrote it has chosen its indentation, its escapes and the order of its keys. So the file
is not written anew: new text is put in between, at places that a small parser finds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from p2p.errors import NotebookError
from p2p.notebook.places import Node, gap, parse

_REFUSED = "The notebook's file cannot be edited without changing something else in it."


def marked(text: str, marks: Mapping[int, str], tags: Mapping[int, str], first: str) -> str:
    """The text of a notebook with marks in it.

    Args:
        text: the file's text.
        marks: by index among all cells, the line to put before a cell's source.
        tags: by index, the tag to put before a cell's others.
        first: source of a code cell to put before the first code cell; empty for none.

    Raises:
        NotebookError: the edit could not be made so that all else stays as it was; nothing was changed.
    """
    whole = parse(text)
    cells = whole.members["cells"].items
    edits = [_before_source(text, cells[index], line) for index, line in marks.items()]
    edits += [_tagged(text, cells[index], tag) for index, tag in tags.items()]
    if first:
        edits.append(_new_cell(text, whole, first))
    result = text
    for at, new in sorted(edits, reverse=True):
        result = result[:at] + new + result[at:]
    if json.loads(result) != _expected(json.loads(text), marks, tags, first):
        raise NotebookError(_REFUSED)
    return result


def untagged(text: str, index: int, tag: str) -> str:
    """The text of a notebook without a tag of the cell at this index among all cells.

    Raises:
        NotebookError: as `marked`.
    """
    tags = parse(text).members["cells"].items[index].members["metadata"].members["tags"]
    result = text[: tags.start] + _without(text, tags, tag) + text[tags.end :]
    expected = json.loads(text)
    metadata = expected["cells"][index]["metadata"]
    metadata["tags"] = [other for other in metadata["tags"] if other != tag]
    if json.loads(result) != expected:
        raise NotebookError(_REFUSED)
    return result


def _without(text: str, tags: Node, tag: str) -> str:
    """An array of tags without one of them; the others and what is around them keep their bytes."""
    raw = [text[item.start : item.end] for item in tags.items]
    kept = [item for item in raw if json.loads(item) != tag]
    if not kept:
        return "[]"
    first, last = tags.items[0], tags.items[-1]
    between = text[first.end : tags.items[1].start] if len(raw) > 1 else ""
    return text[tags.start : first.start] + between.join(kept) + text[last.end : tags.end]


def _before_source(text: str, cell: Node, line: str) -> tuple[int, str]:
    source = cell.members["source"]
    new = json.dumps(f"{line}\n", ensure_ascii=False)
    if not source.items:
        return source.start + 1, new[1:-1]
    return source.items[0].start, f"{new},{gap(text, source, source.items[0].start)}"


def _tagged(text: str, cell: Node, name: str) -> tuple[int, str]:
    metadata = cell.members.get("metadata")
    tag = json.dumps(name, ensure_ascii=False)
    if metadata is None:
        first = min(cell.keys.values())
        return first, f'"metadata": {{"tags": [{tag}]}},{gap(text, cell, first)}'
    tags = metadata.members.get("tags")
    if tags is not None and tags.items:
        return tags.items[0].start, f"{tag},{gap(text, tags, tags.items[0].start)}"
    if tags is not None:
        return tags.start + 1, tag
    if metadata.keys:
        first = min(metadata.keys.values())
        return first, f'"tags": [{tag}],{gap(text, metadata, first)}'
    return metadata.start + 1, _indented(text, metadata.start, {"tags": [name]})


def _indented(text: str, at: int, value: dict[str, Any]) -> str:
    """The inside of an object as it is written at this place, in the file's own indentation."""
    unit, lead = _unit(text), _lead(text, at)
    if not unit:
        return json.dumps(value)[1:-1]
    inside = json.dumps(value, indent=unit, ensure_ascii=False)[1:-1]
    return inside.replace("\n", "\n" + lead)


def _unit(text: str) -> str:
    """One step of the file's indentation; empty where it is written in one line."""
    match = re.match(r"\s*\{\r?\n([ \t]+)", text)
    return match[1] if match else ""


def _lead(text: str, at: int) -> str:
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip())]


def _new_cell(text: str, whole: Node, source: str) -> tuple[int, str]:
    cells = whole.members["cells"]
    index = _first_code(json.loads(text))
    at = cells.items[index].start
    cell = _cell(json.loads(text), source)
    unit, lead = _unit(text), _lead(text, at)
    written = json.dumps(cell, indent=unit or None, ensure_ascii=False)
    between = gap(text, cells, cells.items[0].start)
    return at, f"{written.replace(chr(10), chr(10) + lead)},{between}"


def _first_code(document: Mapping[str, Any]) -> int:
    return next(i for i, cell in enumerate(document["cells"]) if cell["cell_type"] == "code")


def _cell(document: Mapping[str, Any], source: str) -> dict[str, Any]:
    has_ids = document.get("nbformat_minor", 0) >= 5
    identity = {"id": _free_id(document)} if has_ids else {}
    return {"cell_type": "code", "execution_count": None, **identity, "metadata": {}, "outputs": [], "source": [source]}


def _free_id(document: Mapping[str, Any]) -> str:
    taken = {cell.get("id") for cell in document["cells"]}
    names: Iterator[str] = (f"load-p2p{'-' * (n > 0)}{n or ''}" for n in range(len(taken) + 1))
    return next(name for name in names if name not in taken)


def _expected(document: Any, marks: Mapping[int, str], tags: Mapping[int, str], first: str) -> Any:
    """The document as it must be read afterwards."""
    cells = document["cells"]
    for index, line in marks.items():
        source = cells[index]["source"]
        cells[index]["source"] = [f"{line}\n", *source] if source and isinstance(source, list) else f"{line}\n{source}"
    for index, tag in tags.items():
        metadata = cells[index].setdefault("metadata", {})
        metadata["tags"] = [tag, *metadata.get("tags", ())]
    if first:
        cells.insert(_first_code(document), _cell({**document, "cells": [*cells]}, first))
    return document
