"""Marking the cells of a notebook as proposed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from p2p.adoption.editing import marked, untagged
from p2p.adoption.proposal import Proposal
from p2p.notebook.document import PARAMETERS
from p2p.notebook.nodes import nbformat
from p2p.notebook.rewriting import rewrite

LOADS = re.compile(r"^\s*%load_ext\s+p2p\b", re.MULTILINE)


@dataclass(frozen=True)
class Marking:
    """Marks and tags for code cells, by their numbers; a change of a notebook's file.

    Attributes:
        marks: the line to put before a cell's source.
        tags: the tag to add.
        without: the tag to take away.
        first: source of a code cell to put before the first code cell; empty for none.
    """

    marks: Mapping[int, str] = field(default_factory=dict)
    tags: Mapping[int, str] = field(default_factory=dict)
    without: Mapping[int, str] = field(default_factory=dict)
    first: str = ""

    def in_json(self, text: str, places: Mapping[int, int]) -> str:
        """See `p2p.notebook.rewriting.Change`."""
        for number, tag in self.without.items():
            text = untagged(text, places[number], tag)
        return marked(text, _placed(self.marks, places), _placed(self.tags, places), self.first)

    def in_cells(self, cells: list[Any], places: Mapping[int, int]) -> None:
        """See `p2p.notebook.rewriting.Change`."""
        for number, line in self.marks.items():
            cell = cells[places[number]]
            cell.source = f"{line}\n{cell.source}"
        for number, tag in self.tags.items():
            metadata = cells[places[number]].metadata
            metadata["tags"] = [tag, *metadata.get("tags", ())]
        for number, tag in self.without.items():
            _take_away(cells[places[number]].metadata, tag)
        if self.first:
            cells.insert(places[1], nbformat().v4.new_code_cell(self.first))


def mark(proposal: Proposal) -> None:
    """Write the proposed marks into the notebook's file; every other byte stays as it is.

    Raises:
        NotebookError: the file has changed since it was read, or cannot be edited so. Nothing was changed.
        StoreError: the disk does not take it.
    """
    notebook = proposal.notebook
    marks = {step.cell.number: f"%%step {step.name}" for step in proposal.steps}
    tags = {proposal.parameters.number: PARAMETERS} if proposal.parameters is not None else {}
    loads = any(LOADS.search(cell.source) for cell in notebook.cells)
    rewrite(notebook, Marking(marks, tags, first="" if loads else "%load_ext p2p"), "adopt")


def _placed(by_number: Mapping[int, str], places: Mapping[int, int]) -> dict[int, str]:
    return {places[number]: text for number, text in by_number.items()}


def _take_away(metadata: Any, tag: str) -> None:
    metadata["tags"] = [other for other in metadata["tags"] if other != tag]
    if not metadata["tags"]:
        del metadata["tags"]
