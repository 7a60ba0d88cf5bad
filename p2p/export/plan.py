"""The plan of an export: which cell becomes which step, what each needs, and what stays out.

Names are the wiring. A name that a step reads is resolved to whatever wrote it last above the step: a parameter, an
earlier step, or a statement of an unmarked cell. Such a statement goes to the top of the module when it depends on no
data (imports, helpers, constants), into the step when it is a helper that reads data, and becomes a step of its own
when it computes with data. Unmarked statements that nothing needs are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from p2p.analysis import step_calls
from p2p.export.neighbours import Neighbours
from p2p.export.statements import Statement
from p2p.model import StepRecord
from p2p.policy import Policy
from p2p.tracking.records import CellBorder


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """An unmarked statement that no step seems to need.

    Attributes:
        order: its place in the notebook.
        cell: number of its cell.
        what: the beginning of its text.
        reads: the names that it reads.
    """

    order: int
    cell: int
    what: str
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PlannedStep:
    """One step of the module to be.

    Attributes:
        name: the step's name.
        order: its place in the notebook.
        function: name of its function in `steps.py` (a function step that is called twice is one function).
        inputs: names it takes; for a function step by argument.
        outputs: names it gives.
        source: for a cell, its statements; for a function, its definition without the decorator.
        call: for a function step, the notebook's own call of it.
        maybe: those of its outputs that it does not give on every way through it.
        local: helpers that read data, to be put at the beginning of its body.
        implicit: made from unmarked cells, so the notebook's run has no record of it.
        changes: names of values that it gives again beside its outputs, as `Task` has them.
        over: the input whose items a function step is mapped over; empty where it is called as it is.
        called_in: number of the cell that calls a function step; 0 for a cell.
    """

    name: str
    function: str
    inputs: tuple[str, ...] | Mapping[str, str]
    outputs: tuple[str, ...]
    source: str
    policy: Policy = field(default_factory=Policy)
    order: int = 0
    cell: int
    cell_id: str = ""
    heading: str = ""
    is_function: bool = False
    is_async: bool = False
    call: str = ""
    maybe: tuple[str, ...] = ()
    local: tuple[Statement, ...] = ()
    implicit: bool = False
    changes: tuple[str, ...] = ()
    called_in: int = 0
    over: str = ""

    @property
    def takes(self) -> tuple[str, ...]:
        return tuple(self.inputs.values() if isinstance(self.inputs, Mapping) else self.inputs)

    @property
    def gives(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*self.outputs, *self.changes]))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that the generated module will hold.

    Attributes:
        name: the pipeline's name.
        steps: in the order in which they run.
        imports, setup, helpers: statements for the top of `steps.py`, each in the notebook's order.
        nested: functions that run as steps inside other steps, with their policies.
        nested_sources: the definitions of those that are not steps of the pipeline as well.
        left_out: the unmarked statements that no step needs.
        constants: those at the module's top that are computed when it is loaded.
        kept: those that no name leads to, and that are kept for what they do.
        neighbours: the author's own modules that it needs.
    """

    name: str
    steps: tuple[PlannedStep, ...]
    imports: tuple[Statement, ...]
    setup: tuple[Statement, ...]
    helpers: tuple[Statement, ...]
    nested: Mapping[str, Policy] = field(default_factory=dict)
    nested_sources: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    kept: tuple[LeftOut, ...] = ()
    constants: tuple[LeftOut, ...] = ()
    neighbours: Neighbours = field(default_factory=Neighbours)

    @property
    def maps_inside(self) -> bool:
        """Whether a step maps another step's function, which must be a step then wherever that code runs."""
        calls = (call for source in self.sources for call in step_calls(source, list(self.nested)))
        return any(call.mapped for call in calls)

    @property
    def sources(self) -> Iterator[str]:
        """The parts of `steps.py`, as they are in the notebook."""
        yield from (s.source for s in (*self.imports, *self.setup, *self.helpers))
        yield from self.nested_sources
        for step in self.steps:
            yield from (*(s.source for s in step.local), step.source)

    def as_recorded(self, steps: Sequence[StepRecord], borders: Mapping[int, CellBorder] | None = None) -> Plan:
        """The plan with what a recorded run has shown of the steps.

        An output that a step gives on some ways only, and did not give, is none. An input that it changed in place,
        unseen in its text (`rng.normal()`), is one; of a function step, whose `return` is its author's, it is among
        what the step changes. So is what shares an object or memory with a changed value, where a later step takes it.

        Args:
            steps: the steps of the run.
            borders: what cells were seen to do, by number.
        """
        known = {step.name: step for step in steps if not step.parent}
        shown: list[PlannedStep] = []
        joined: list[set[str]] = []  # names of what later steps change together
        for step in reversed(self.steps):
            border = (borders or {}).get(step.called_in or step.cell, CellBorder("", (), ()))
            found, touched = _as_shown(step, known.get(step.name), border)
            together = [{*group} for group in border.same if touched & {*group}]
            along = [n for group in together for n in sorted(group) if self._goes_on(n, step, shown)]
            joined += together if along else []
            linked = [n for group in joined if group & {*found.gives} for n in step.takes if n in group]
            changes = [n for n in dict.fromkeys([*found.changes, *along, *linked]) if n not in found.outputs]
            shown.append(replace(found, changes=tuple(changes)))
        return replace(self, steps=tuple(reversed(shown)))

    def as_exported(self, steps: Mapping[str, Mapping[str, Any]]) -> Plan:
        """The plan with what the manifest of an earlier export tells of the steps of the same names."""

        def told(step: PlannedStep) -> PlannedStep:
            facts = steps.get(step.name)
            if facts is None:
                return step
            changes = tuple(facts.get("changes", ()))
            gave = [n for n in facts["outputs"] if n not in changes]
            given = [n for n in step.outputs if n not in step.maybe or n in gave]
            changed = [n for n in step.takes if n in gave and n not in given and not step.is_function]
            return replace(step, outputs=(*given, *changed), changes=changes)

        return replace(self, steps=tuple(map(told, self.steps)))

    def _goes_on(self, name: str, step: PlannedStep, later: Sequence[PlannedStep]) -> bool:
        """Whether a step before gives the name, and one of the steps after (the last one first) takes it as it is."""
        before = any(name in one.outputs for one in self.steps if one.order < step.order)
        for one in reversed(later) if before else ():
            if name in one.takes:
                return True
            if name in one.outputs:
                return False
        return False


def _as_shown(step: PlannedStep, record: StepRecord | None, border: CellBorder) -> tuple[PlannedStep, set[str]]:
    """One step as a run has shown it, and the names of what it changed in place."""
    given, touched = list(step.outputs), {*border.changed}
    if record is not None:
        given = [n for n in given if n not in step.maybe or n in record.outputs]
        touched |= {*record.changed}
    changed = tuple(n for n in step.takes if n in touched and n not in given)
    if step.is_function:
        return replace(step, outputs=tuple(given), changes=changed), touched
    return replace(step, outputs=(*given, *changed)), touched
