"""The steps and helpers of two versions beside each other, by what they mean."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from p2p.analysis import split_lines
from p2p.drift.differences import Change, StepChange
from p2p.drift.hand import Version
from p2p.drift.meaning import meaning
from p2p.drift.wiring import Wired, read_nested, read_tasks
from p2p.export.units import Function, Module, cut_module, is_docstring

_LONGEST_DIFF = 60  # lines


@dataclass(frozen=True)
class Side:
    """One of the two versions: its `steps.py`, its tasks by step, and the ids of their cells."""

    module: Module
    tasks: Mapping[str, Wired]
    nested: Mapping[str, str]
    cells: Mapping[str, str]

    def forms(self, task: Wired) -> tuple[str, str]:
        """What a step's function does, its arguments known by their places, and by the values that they get."""
        unit = self.module.units.get(task.function)
        if unit is None:
            return "", ""  # a hand has taken it out
        node = unit.node
        if task.arguments is not None or "fallback" in task.policy or not isinstance(node, Function):
            plain = meaning(node, self.module.imports)
            return plain, plain
        names = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
        places = {name: f"input_{place}_" for place, name in enumerate(names)}
        values = {name: f"value_{value}_" for name, value in zip(names, task.inputs, strict=False)}
        unique = len({*task.inputs}) == len(names)
        by_place = meaning(node, self.module.imports, places)
        return by_place, meaning(node, self.module.imports, values) if unique else by_place


def side(version: Version) -> Side:
    """Read a version's files; nothing of it is imported."""
    wiring = version.read("pipeline.py")
    cells = {step["name"]: step.get("cell_id", "") for step in version.manifest.steps}
    return Side(cut_module(version.read("steps.py"), ()), read_tasks(wiring), read_nested(wiring), cells)


def compare_steps(before: Side, after: Side) -> Iterator[StepChange]:
    """Each step of the later version, and then those that are gone."""
    earlier = _pairs(before, after)
    for name, task in after.tasks.items():
        old = earlier.get(name)
        yield _step(before, after, before.tasks[old], task) if old is not None else StepChange(name, ("added",))
    for name in before.tasks:
        if name not in earlier.values():
            yield StepChange(name, ("removed",))


def _pairs(before: Side, after: Side) -> dict[str, str]:
    """By name of a later step, the earlier one: of the same name, else of the same meaning, else of the same cell."""
    found = {name: name for name in after.tasks if name in before.tasks}
    for same in (_same_code, _same_cell):
        for name, task in after.tasks.items():
            free = (old for old in before.tasks.values() if old.name not in {*found.values(), *after.tasks})
            match = next((old for old in free if same(before, after, old, task)), None)
            if name not in found and match is not None:
                found[name] = match.name
    return found


def _same_code(before: Side, after: Side, old: Wired, new: Wired) -> bool:
    pair = zip(before.forms(old), after.forms(new), strict=True)
    return any(a == b for a, b in pair) and {*old.inputs} == {*new.inputs}


def _same_cell(before: Side, after: Side, old: Wired, new: Wired) -> bool:
    cell = before.cells.get(old.name, "")
    return bool(cell) and cell == after.cells.get(new.name, "")


def _step(before: Side, after: Side, old: Wired, new: Wired) -> StepChange:
    places, values = zip(before.forms(old), after.forms(new), strict=True)
    by_value = values[0] == values[1] and {*old.inputs} == {*new.inputs}
    is_code = places[0] != places[1] and not by_value
    is_inputs = (old.inputs, old.arguments) != (new.inputs, new.arguments) and not by_value
    found = {
        "renamed": old.name != new.name, "code": is_code, "inputs": is_inputs, "outputs": old.outputs != new.outputs,
        "changes": old.changes != new.changes, "policy": old.policy != new.policy, "over": old.over != new.over,
    }  # fmt: skip
    details = [
        f"{kind}: {_said(getattr(old, kind))} → {_said(getattr(new, kind))}"
        for kind in ("inputs", "outputs", "changes", "policy", "over") if found[kind]
    ]  # fmt: skip
    diff = unit_diff(before.module, after.module, old.function, new.function) if is_code else ""
    changes = tuple(kind for kind, is_so in found.items() if is_so) or ("same",)
    return StepChange(new.name, changes, tuple(details), old.name if found["renamed"] else "", diff)


def _said(part: Sequence[str] | str) -> str:
    return part or "none" if isinstance(part, str) else ", ".join(part) or "none"


def compare_helpers(before: Side, after: Side) -> Iterator[Change]:
    """What else stands at the top of the two modules, where it is not the same: functions, constants, settings."""
    old, new = _helpers(before), _helpers(after)
    for name in dict.fromkeys([*old, *new]):
        if name not in new:
            yield Change(name, "removed", before=_short(before.module, name))
        elif name not in old:
            yield Change(name, "added", after=_short(after.module, name))
        elif old[name] != new[name]:
            yield Change(name, "changed", diff=unit_diff(before.module, after.module, name, name))
    for name in before.nested.keys() & after.nested.keys():
        if before.nested[name] != after.nested[name]:
            yield Change(name, "policy", before.nested[name], after.nested[name])


def _helpers(one: Side) -> dict[str, str]:
    steps = {task.function for task in one.tasks.values()}
    return {
        name: meaning(unit.node, one.module.imports) for name, unit in one.module.units.items() if name not in steps
    }  # fmt: skip


def _short(module: Module, name: str) -> str:
    return ast.unparse(module.units[name].node).splitlines()[0][:80]


def unit_diff(before: Module, after: Module, old: str, new: str) -> str:
    """The lines that differ of a unit, and one around them, docstrings left out."""
    return text_diff(_lines(before, old), _lines(after, new))


def text_diff(old: Sequence[str], new: Sequence[str]) -> str:
    """A unified diff without its head, cut off where it is very long."""
    lines = list(difflib.unified_diff(old, new, n=1, lineterm=""))[2:]
    more = len(lines) - _LONGEST_DIFF
    return "\n".join([*lines[:_LONGEST_DIFF], *([f"… {more} more lines"] if more > 0 else [])])


def _lines(module: Module, name: str) -> list[str]:
    if name not in module.units:
        return []
    node = module.units[name].node
    lines = split_lines(module.text)[node.lineno - 1 : node.end_lineno]
    if isinstance(node, Function) and is_docstring(node.body[0]):
        first = node.body[0]
        del lines[first.lineno - node.lineno : (first.end_lineno or first.lineno) - node.lineno + 1]
    return lines
