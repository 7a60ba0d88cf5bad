"""Edits of a function or another unit that the notebook has as the module has it: a helper, a constant, a `@step`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from p2p.analysis import split_lines
from p2p.drift.blocks import Block, Edit, Part, blocks, part
from p2p.drift.bodies import Place, cannot, find_places, function_of, function_parts, part_edits
from p2p.export.units import Function, Module


def unit_edits(old: Module, new: Module, name: str, place: Place) -> Iterator[Edit]:
    """The edits that make a unit of `new` out of that of `old`, which stands at `place`; a decorator of ours stays."""
    before, after = _part(old, name), _part(new, name)
    there = place.block.nodes[0]
    if len(place.block.nodes) > 1 or not place.text.is_plain(place.block.start, place.block.end):
        raise cannot(f"it shares its line in cell {place.text.cell.number}.", "Give it a line of its own first.")
    if isinstance(before.node, Function) and isinstance(after.node, Function) and isinstance(there, Function):
        yield from _function_edits(old, new, name, place, there)
    else:
        yield Edit(place.text.cell.number, place.block.start, place.block.end, after.lines)


def _function_edits(
    old: Module, new: Module, name: str, place: Place, there: ast.FunctionDef | ast.AsyncFunctionDef
) -> Iterator[Edit]:
    before, after = _part(old, name), _part(new, name)
    cell, inside = place.text.cell.number, blocks(place.text.lines, there.body, there.lineno)
    if _decorators(before.node) != _decorators(after.node):
        raise cannot("its decorators were changed.", "Change them in the notebook.")
    if _lead(before) != _lead(after):
        first = place.block.first
        yield Edit(cell, max(first - len(_lead(before)), place.block.start), first, _lead(after))
    if inside[0].first < there.lineno:  # all in one line
        yield Edit(cell, there.lineno - 1, place.block.end, _from_def(after))
        return
    if _header(old, name) != _header(new, name):
        yield Edit(cell, there.lineno - 1, inside[0].start, _header(new, name))
    parts = function_parts(old, name)
    places = find_places(place.text, parts, inside)
    prefix = " " * there.body[0].col_offset
    yield from part_edits(parts, function_parts(new, name), places, place.text, prefix)


def _part(module: Module, name: str) -> Part:
    lines = split_lines(module.text)
    return part(lines, _block(module, name, lines))


def _block(module: Module, name: str, lines: Sequence[str]) -> Block:
    return blocks(lines, [module.units[name].node])[0]


def _lead(unit: Part) -> tuple[str, ...]:
    """The comments above a unit."""
    count = next(place for place, line in enumerate(unit.lines) if not line.startswith("#"))
    return unit.lines[:count]


def _decorators(node: ast.stmt) -> list[str]:
    return [ast.dump(decorator) for decorator in getattr(node, "decorator_list", ())]


def _from_def(unit: Part) -> tuple[str, ...]:
    """A function's lines without what stands above its `def`."""
    above = sum((d.end_lineno or d.lineno) - d.lineno + 1 for d in getattr(unit.node, "decorator_list", ()))
    return unit.lines[len(_lead(unit)) + above :]


def _header(module: Module, name: str) -> tuple[str, ...]:
    """The lines from a function's `def` to its body."""
    lines, node = split_lines(module.text), function_of(module, name)
    return tuple(lines[node.lineno - 1 : blocks(lines, node.body, node.lineno)[0].start])
