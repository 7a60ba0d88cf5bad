"""The body of a function in `steps.py`, statement by statement, and the edits that bring a change of it into cells."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from p2p.analysis import split_lines
from p2p.drift.blocks import Block, CellText, Edit, Part, blocks, part
from p2p.errors import EvidenceRefused
from p2p.export.units import Function, Module, final_return, is_docstring
from p2p.model import Finding

Opcodes = Sequence[tuple[str, int, int, int, int]]


@dataclass(frozen=True)
class Place:
    """Where a statement of the module stands in the notebook."""

    text: CellText
    block: Block


def function_parts(module: Module, name: str) -> list[Part]:
    """The statements of a function; for one that was made of a cell, those that are the cell's."""
    node = function_of(module, name)
    lines = split_lines(module.text)
    body = node.body
    if name in module.generated:
        body = body[is_docstring(body[0]) : len(body) - (final_return(node) is not None)]
    return [part(lines, block) for block in blocks(lines, body, node.lineno)]


def function_of(module: Module, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    """The function of this name. Raises EvidenceRefused where the name stands for something else."""
    node = module.units[name].node
    if not isinstance(node, Function):
        raise cannot("it is no function any more.", "Change the notebook itself.")
    return node


def find_places(text: CellText, parts: Sequence[Part], candidates: Sequence[Block]) -> list[Place | None]:
    """Where each of some statements stands among the blocks of a cell; None for one that is not found."""
    written = [(block, ast.dump(node)) for block in candidates for node in block.nodes]
    same = SequenceMatcher(None, [ast.dump(p.node) for p in parts], [dump for _block, dump in written], autojunk=False)
    found: list[Place | None] = [None] * len(parts)
    for at, place, size in same.get_matching_blocks():
        for step in range(size):
            found[at + step] = Place(text, written[place + step][0])
    return found


def part_edits(
    old: Sequence[Part], new: Sequence[Part], places: Sequence[Place | None], home: CellText, prefix: str = ""
) -> Iterator[Edit]:
    """The edits that make the statements `new` of `old`, one at a time, so that those that stay keep their text.

    Args:
        old: the statements as the export writes them now.
        new: as they are to be.
        places: where each old one stands.
        home: the cell that a statement goes to which has no neighbour.
        prefix: the indentation there.

    Raises:
        EvidenceRefused: one that changed stands where it cannot be changed alone.
    """
    for tag, i1, i2, j1, j2 in _changes(old, new):
        common = min(i2 - i1, j2 - j1)
        if tag == "equal":
            continue
        for at in range(i1, i2):
            lines = new[j1 + at - i1].at(prefix) if at < i1 + common else ()
            place = _sure(places[at], old[at])
            yield Edit(place.text.cell.number, place.block.start, place.block.end, lines)
        if added := [line for item in new[j1 + common : j2] for line in item.at(prefix)]:
            yield _inserted(places, i1 + common, home, tuple(added))


def _changes(old: Sequence[Part], new: Sequence[Part]) -> Opcodes:
    return SequenceMatcher(None, [p.lines for p in old], [p.lines for p in new], autojunk=False).get_opcodes()


def _sure(place: Place | None, old: Part) -> Place:
    """The place, where a statement can be changed alone."""
    shown = ast.unparse(old.node).splitlines()[0][:60]
    if place is None:
        raise cannot(f"`{shown}` came from no statement of one cell.", "Change the notebook itself.")
    if len(place.block.nodes) > 1 or not place.text.is_plain(place.block.start, place.block.end):
        raise cannot(
            f"`{shown}` shares its line in cell {place.text.cell.number} with something else.",
            "Give it a line of its own in the notebook, and export that first.",
        )
    return place


def _inserted(places: Sequence[Place | None], at: int, home: CellText, lines: tuple[str, ...]) -> Edit:
    """New lines between the statements `at - 1` and `at`: after the first of them, where it is in the same cell."""
    before = places[at - 1] if at else None
    after = places[at] if at < len(places) else None
    if after is not None and (before is None or before.text.cell != after.text.cell):
        return Edit(after.text.cell.number, after.block.start, after.block.start, lines)
    if before is not None:
        return Edit(before.text.cell.number, before.block.end, before.block.end, lines)
    end = home.blocks[-1].end if home.blocks else len(home.lines)
    return Edit(home.cell.number, end, end, lines)


def cannot(what: str, cure: str) -> EvidenceRefused:
    """A refusal, to be gathered with others, that does not yet say of which function."""
    finding = Finding("", what, "The edit has no place in the notebook that is its own.", cure)
    return EvidenceRefused(what, [finding])
