"""What a kernel sends, as a notebook may keep it: without secrets, within a limit, its streams joined in one pass."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from p2p.quantities import size_text
from p2p.secrets import Masker

CELLS_A_NOTEBOOK: Final = 10  # the limit of a whole notebook is this many times that of a cell
_ERROR_TEXT: Final = 20_000  # characters of an error's message, and of each entry of its traceback
_EACH: Final = 200  # what an output weighs besides its text
_LINE: Final = 16  # what a line weighs besides its text: notebooks hold each as a text of its own, quoted and indented
_KINDS: Final = {"stream", "display_data", "execute_result", "update_display_data", "error"}
_OF_DOCUMENTS: Final = frozenset({"kernelspec", "language_info"})
_OF_CELLS: Final = frozenset({"cell_type", "id", "outputs"})
_OF_OUTPUTS: Final = frozenset({"output_type", "name"})  # `name`: of a stream

Message = dict[str, Any]


class OutputGate:
    """Lets a kernel's messages into a notebook until a cell, or the notebook, has had enough; then says so once.

    Args:
        masker: takes out secrets.
        limit: bytes, told by their characters, that one cell may keep.
    """

    def __init__(self, masker: Masker, limit: int) -> None:
        self._masker = masker
        self._limit = limit
        self._kept: Counter[int] = Counter()
        self._closed: set[int] = set()

    def admit(self, message: Message, cell: int) -> Iterator[Message]:
        """What of a message is kept: itself with secrets masked, a part of it and a note, or nothing."""
        kind = message["msg_type"]
        if kind not in _KINDS:
            yield message
        elif kind == "error":
            yield _with(message, _short_error(self._masker.data(message["content"])))
        elif cell not in self._closed:
            yield from self._within_limit(message, cell)

    def cleared(self, cell: int) -> None:
        """A cell has taken its outputs back."""
        self._kept[cell] = 0
        self._closed.discard(cell)

    def _within_limit(self, message: Message, cell: int) -> Iterator[Message]:
        content = message["content"]
        room = min(self._limit - self._kept[cell], self._limit * CELLS_A_NOTEBOOK - self._kept.total())
        size = _size(content)
        if size <= room:
            # An update takes the place of what it updates.
            self._kept[cell] += 0 if message["msg_type"] == "update_display_data" else size
            yield _with(message, _masked_but(_OF_OUTPUTS, content, self._masker))
            return
        if message["msg_type"] == "stream" and room > 0:
            yield _with(message, {**content, "text": self._beginning(content["text"], room)})
            self._kept[cell] += room
        self._closed.add(cell)
        yield _note(message, self._limit)

    def _beginning(self, text: str, room: int) -> str:
        """As much of a text as there is room for; masked first, so that no secret is cut in two and kept."""
        begun = self._masker.text(text[: room + _ERROR_TEXT])[:room]
        while (weight := _weight(begun)) > room:
            begun = begun[: len(begun) * room // weight]
        return begun


def masked_notebook(document: Mapping[str, Any], masker: Masker) -> dict[str, Any]:
    """A notebook without secrets; what makes it one stays: a password may be a common word (`code`, `python3`)."""
    metadata = _masked_but(_OF_DOCUMENTS, document["metadata"], masker)
    return {**document, "metadata": metadata, "cells": [_masked_cell(cell, masker) for cell in document["cells"]]}


def _masked_cell(cell: Mapping[str, Any], masker: Masker) -> dict[str, Any]:
    masked = _masked_but(_OF_CELLS, cell, masker)
    if "outputs" in cell:
        masked["outputs"] = [_masked_but(_OF_OUTPUTS, output, masker) for output in cell["outputs"]]
    return masked


def _masked_but(names: frozenset[str], data: Mapping[str, Any], masker: Masker) -> dict[str, Any]:
    return {name: value if name in names else masker.data(value) for name, value in data.items()}


class StreamJoiner:
    """Joins what a cell prints piece by piece: each piece costs its own length, however much came before it."""

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._output: Any = None
        self._text = io.StringIO()

    def joins(self, outputs: list[Any], message: Message) -> bool:
        """Whether a message goes on with the last of these outputs; if it does, it is taken in."""
        if message["msg_type"] != "stream" or not outputs or outputs[-1].get("name") != message["content"]["name"]:
            return False
        if outputs[-1] is not self._output:
            self.settle()
            self._output = outputs[-1]
            self._text = io.StringIO()
            self._text.write(self._output["text"])
        self._text.write(message["content"]["text"])
        return True

    def settle(self) -> None:
        """Put the joined text where it belongs; masked again, as a secret may have come in two pieces."""
        if self._output is not None:
            self._output["text"] = self._masker.text(self._text.getvalue())


def _with(message: Message, content: Mapping[str, Any]) -> Message:
    return {**message, "content": dict(content)}


def _size(content: Mapping[str, Any]) -> int:
    if "text" in content:
        return _weight(content["text"])
    return _EACH + sum(_weight(str(value)) for value in content["data"].values())


def _weight(text: str) -> int:
    return len(text) + _LINE * text.count("\n")


def _short_error(content: Mapping[str, Any]) -> dict[str, Any]:
    lines = [_short(line) for line in content["traceback"]]
    return {**content, "ename": _short(content["ename"]), "evalue": _short(content["evalue"]), "traceback": lines}


def _short(text: str) -> str:
    return text if len(text) <= _ERROR_TEXT else f"{text[:_ERROR_TEXT]}... [p2p: {len(text):,} characters, cut here]"


def _note(message: Message, limit: int) -> Message:
    text = (
        f"\n[p2p: the output of this cell was cut here. A cell keeps {size_text(limit)}, a notebook {CELLS_A_NOTEBOOK} "
        "times that; P2P_OUTPUT_LIMIT changes it.]\n"
    )
    header = {**message["header"], "msg_type": "stream"}
    return {**message, "header": header, "msg_type": "stream", "content": {"name": "stderr", "text": text}}
