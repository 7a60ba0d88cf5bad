"""A proposal of steps for a plain notebook: what each cell is, what it would be called, and why."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from p2p.adoption.naming import step_names
from p2p.adoption.roles import Look, Role, Roles, literal_names
from p2p.analysis import is_step_mark, looking_in, places_of, step_functions, step_outputs
from p2p.errors import AnalysisError, NotebookError
from p2p.notebook import Cell, Notebook
from p2p.params import read_parameters


@dataclass(frozen=True)
class Proposed:
    """What is proposed for one code cell.

    Attributes:
        name: the step's name; empty for what is no step.
        inputs, outputs: for a step, by name; an input is what an earlier step gives, or a parameter.
        reason: why.
    """

    cell: Cell
    role: Role
    reason: str
    name: str = ""
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proposal:
    """What is proposed for a notebook, cell by cell in its order."""

    notebook: Notebook
    cells: tuple[Proposed, ...]

    @property
    def steps(self) -> tuple[Proposed, ...]:
        return tuple(cell for cell in self.cells if cell.role is Role.STEP)

    @property
    def parameters(self) -> Cell | None:
        """The cell to tag; None where there is none, or one has the tag already."""
        found = next((cell.cell for cell in self.cells if cell.role is Role.PARAMETERS), None)
        return None if found is self.notebook.parameters else found


def propose(notebook: Notebook) -> Proposal:
    """Look at a plain notebook and propose its steps.

    Raises:
        NotebookError: it has steps already, or nothing that could be one.
    """
    marked = next((cell for cell in notebook.cells if _is_marked(cell)), None)
    if marked is not None:
        raise NotebookError(
            f"'{notebook.path}' has steps already (cell {marked.number}).",
            cure="Mark further cells by hand with %%step NAME, or export it.",
        )
    with looking_in(places_of(notebook.path.resolve().parent, [cell.source for cell in notebook.cells])):
        roles = Roles(notebook.cells)
    looks = _with_steps(_with_parameters(roles, notebook))
    steps = [look for look in looks if look.role is Role.STEP]
    if not steps:
        raise NotebookError(f"'{notebook.path}' has no cell that computes something: there is nothing to adopt.")
    taken = {*keyword.kwlist, *dir(builtins), *(n for look in looks for n in (*look.names.reads, *look.gives))}
    names = dict(zip(map(id, steps), step_names(steps, taken), strict=True))
    wiring = _Wiring(looks, roles.modules)
    return Proposal(notebook, tuple(wiring.proposed(look, names.get(id(look), "")) for look in looks))


def _with_steps(looks: list[Look]) -> list[Look]:
    """The looks; where no cell computes anything for others, what is drawn or shown is what the notebook is for."""
    for role in (Role.STEP, Role.PLOT, Role.EXPLORATION):
        if any(look.role is role for look in looks):
            return [replace(look, role=Role.STEP) if look.role is role else look for look in looks]
    return looks


def _is_marked(cell: Cell) -> bool:
    try:
        return is_step_mark(cell.source) or bool(step_functions(cell.source))
    except AnalysisError:
        return False


def _with_parameters(roles: Roles, notebook: Notebook) -> list[Look]:
    """The looks, with the one cell whose constants are worth giving from outside as the parameters."""
    looks = [_tagged(look, notebook) for look in roles.looks]
    if notebook.parameters is not None:
        return looks
    for place, look in enumerate(looks):
        later = [n for other in looks[place + 1 :] for n in other.names.reads]
        literals = literal_names(look, later)
        if look.role is Role.STEP:
            break
        if look.role is Role.CONSTANTS and literals and _can_be_parameters(look, notebook):
            reason = f"written-out values that later cells read: {', '.join(literals)}"
            looks[place] = Look(look.cell, Role.PARAMETERS, reason, look.names, look.statements)
            break
    return looks


def _tagged(look: Look, notebook: Notebook) -> Look:
    if look.cell is not notebook.parameters:
        return look
    return Look(look.cell, Role.PARAMETERS, "it has the tag already", look.names, look.statements)


def _can_be_parameters(look: Look, notebook: Notebook) -> bool:
    """Whether every value of the cell is of a type that a parameter may have."""
    try:
        found = read_parameters(look.cell.source, [cell.source for cell in notebook.cells])
    except (NotebookError, AnalysisError):
        return False
    return bool(found.describe())


class _Wiring:
    """Says what a step takes and gives, and why it is one."""

    def __init__(self, looks: list[Look], modules: Mapping[str, str]) -> None:
        self._looks = looks
        self._modules = modules

    def proposed(self, look: Look, name: str) -> Proposed:
        if look.role is not Role.STEP:
            return Proposed(look.cell, look.role, look.reason)
        outputs = self._outputs(look)
        inputs = tuple(n for n in look.names.reads if self._is_value(n, look))
        return Proposed(look.cell, Role.STEP, self._why(look, outputs), name, inputs, outputs)

    def _is_value(self, name: str, look: Look) -> bool:
        """Whether a step above, as a value of its own, or the parameters gave this name last."""
        for other in reversed(self._looks[: self._looks.index(look)]):
            if name in other.gives:
                return other.role in (Role.STEP, Role.PARAMETERS) and name in self._outputs(other)
        return False

    def _outputs(self, look: Look) -> tuple[str, ...]:
        """The values that a cell gives: not what it imports or defines, which is code and no data that flows."""
        return step_outputs(look.names, modules=self._modules)

    def _readers(self, name: str, look: Look) -> Iterator[int]:
        """The numbers of the step cells that read a name until another one gives it anew."""
        for other in self._looks[self._looks.index(look) + 1 :]:
            if other.role is Role.STEP:
                if name in other.names.reads:
                    yield other.cell.number
                if name in other.gives:
                    return

    def _why(self, look: Look, outputs: tuple[str, ...]) -> str:
        readers = list(dict.fromkeys(number for name in outputs for number in self._readers(name, look)))
        if readers:
            return f"steps that read what it gives: cells {', '.join(map(str, sorted(readers)[:6]))}"
        if look.reason:
            return look.reason
        return "gives a result that no other cell reads" if outputs else "acts on something outside its names"
