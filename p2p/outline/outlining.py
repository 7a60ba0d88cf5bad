"""The steps of a notebook in order, which cells define what they use, and what passes between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from p2p.analysis import (
    CellNames,
    cell_names,
    digest_source,
    is_step_mark,
    split_mark,
    step_calls,
    step_functions,
    step_inputs,
    step_outputs,
)
from p2p.errors import P2PError


class CellText(Protocol):
    """What is needed of a code cell: its number among the code cells, its text, its tags."""

    @property
    def number(self) -> int: ...

    @property
    def source(self) -> str: ...

    @property
    def tags(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class OutlinedStep:
    """A step of a notebook.

    Attributes:
        name: its name in a run.
        cell: number of its cell among the code cells, from 1; a function step's is the one that calls it.
        digest: of the text of that cell.
        inputs: names of values that it takes from steps and parameters.
        outputs: names of values that it gives.
        uses: by name, the cells that define what it needs besides: functions, imports, values of unmarked cells; those
            that these need in turn are among them.
        source: its cell's text; a function's definition is in one of the cells that it uses.
    """

    name: str
    cell: int
    digest: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    uses: Mapping[str, int] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True)
class Outline:
    """A notebook's steps.

    Attributes:
        steps: in the order of the cells.
        parameters: names that the cell tagged `parameters` sets.
        digests: by cell number, the digest of each cell's text; of those that are no Python, none.
        sources: by cell number, the text of each cell.
        problems: by cell number, what keeps a cell from being understood.
    """

    steps: tuple[OutlinedStep, ...]
    parameters: tuple[str, ...] = ()
    digests: Mapping[int, str] = field(default_factory=dict)
    sources: Mapping[int, str] = field(default_factory=dict)
    problems: Mapping[int, str] = field(default_factory=dict)

    def step(self, name: str) -> OutlinedStep | None:
        return next((step for step in self.steps if step.name == name), None)

    def edges(self) -> list[tuple[str, str, str]]:
        """What passes between steps: from, to, the value's name."""
        given: dict[str, str] = {}
        found = []
        for step in self.steps:
            found += [(given[name], step.name, name) for name in step.inputs if name in given]
            given |= dict.fromkeys(step.outputs, step.name)
        return found


def outline(cells: Sequence[CellText]) -> Outline:
    """The outline of a notebook's code cells. A cell that cannot be understood is a problem, and no step."""
    return _Outliner().outline(cells)


class _Outliner:
    """Goes through the cells once, from the first to the last."""

    def __init__(self) -> None:
        self.steps: list[OutlinedStep] = []
        self.parameters: list[str] = []
        self.digests: dict[int, str] = {}
        self.problems: dict[int, str] = {}
        self._given: set[str] = set()  # by steps and parameters
        self._defined: dict[str, int] = {}  # by unmarked cells, and what marked ones define of code
        self._names: dict[int, CellNames] = {}
        self._functions: list[str] = []
        self._called: dict[str, int] = {}

    def outline(self, cells: Sequence[CellText]) -> Outline:
        for cell in cells:
            try:
                self._take(cell)
            except P2PError as problem:
                self.problems[cell.number] = str(problem)
        sources = {cell.number: cell.source for cell in cells}
        return Outline(tuple(self.steps), tuple(self.parameters), self.digests, sources, self.problems)

    def _take(self, cell: CellText) -> None:
        self.digests[cell.number] = digest_source(cell.source)
        if is_step_mark(cell.source):
            self._take_marked(cell)
            return
        names = self._names[cell.number] = cell_names(cell.source)
        self._functions += [found.name for found in step_functions(cell.source)]
        outputs = self._take_calls(cell, names)
        for name in names.writes:
            if "parameters" in cell.tags and names.kinds[name] == "value":
                self.parameters.append(name)
                self._given.add(name)
            elif name not in outputs:
                self._defined[name] = cell.number
                self._given.discard(name)

    def _take_marked(self, cell: CellText) -> None:
        mark, body = split_mark(cell.source)
        assert mark is not None
        names = self._names[cell.number] = cell_names(body)
        inputs = mark.inputs if mark.inputs is not None else step_inputs(names)
        outputs = mark.outputs if mark.outputs is not None else step_outputs(names)
        self._add(cell, mark.name, (*inputs, *(n for n in names.reads if n not in inputs)), outputs)
        for name in names.writes:
            if name not in outputs:
                self._defined[name] = cell.number

    def _take_calls(self, cell: CellText, names: CellNames) -> set[str]:
        """The steps that a cell is by calling step functions; gives the names that these have given values to."""
        outputs: set[str] = set()
        for call in step_calls(cell.source, self._functions):
            number = self._called[call.function] = self._called.get(call.function, 0) + 1
            name = call.function if number == 1 else f"{call.function}_{number}"
            arguments = [n for n in call.argument_names if n] if call.simple else names.reads
            self._add(cell, name, (call.function, *arguments), call.targets)
            outputs |= {*call.targets}
        return outputs

    def _add(self, cell: CellText, name: str, reads: Sequence[str], outputs: Sequence[str]) -> None:
        inputs = tuple(dict.fromkeys(n for n in reads if n in self._given))
        used = self._used([n for n in reads if n not in self._given])
        uses = {name: defined for name, defined in used if defined != cell.number}  # its own text counts in any case
        step = OutlinedStep(name, cell.number, self.digests[cell.number], inputs, tuple(outputs), uses, cell.source)
        self.steps.append(step)
        self._given |= {*outputs}

    def _used(self, names: Sequence[str]) -> Iterator[tuple[str, int]]:
        """The cells that define these names and what they need in turn."""
        waiting, seen = [*names], set(names)
        while waiting:
            name = waiting.pop(0)
            if name in self._defined:
                cell = self._defined[name]
                yield name, cell
                more = [n for n in self._names[cell].reads if n not in seen]
                seen |= {*more}
                waiting += more
