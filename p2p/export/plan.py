"""The plan of an export: which cell becomes which step, what each needs, and what stays out.

Names are the wiring. A name that a step reads is resolved to whatever wrote it last above the step: a parameter, an
earlier step, or a statement of an unmarked cell. Such a statement goes to the top of the module when it depends on no
data (imports, helpers, constants), into the step when it is a helper that reads data, and becomes a step of its own
when it computes with data. Unmarked statements that nothing needs are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from p2p.export.statements import Statement
from p2p.model import StepRecord
from p2p.policy import Policy


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

    @property
    def takes(self) -> tuple[str, ...]:
        return tuple(self.inputs.values() if isinstance(self.inputs, Mapping) else self.inputs)


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

    def as_recorded(self, steps: Sequence[StepRecord]) -> Plan:
        """The plan with what a recorded run has shown of the steps.

        An output that a step gives on some ways only, and did not give, is none. An input that it changed in place,
        unseen in its text (`rng.normal()`), is one; but for a function step, whose `return` is its author's.
        """
        known = {step.name: step for step in steps if not step.parent}

        def outputs(step: PlannedStep) -> tuple[str, ...]:
            record = known.get(step.name)
            if record is None:
                return step.outputs
            given = [n for n in step.outputs if n not in step.maybe or n in record.outputs]
            changed = [n for n in record.changed if n in step.takes and not step.is_function]
            return tuple(dict.fromkeys([*given, *changed]))

        return replace(self, steps=tuple(replace(step, outputs=outputs(step)) for step in self.steps))
