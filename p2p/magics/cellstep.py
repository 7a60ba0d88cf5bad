"""A cell as a step: what it reads and writes, and how IPython's own run of the cell becomes a step's body.

The cell runs exactly as it would without the mark (display, history, tracebacks, top-level await), because IPython
itself runs it; only the call that executes its statements is wrapped in `run_step`.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from p2p.analysis import CellNames, Mark, cell_names, step_inputs, step_outputs
from p2p.errors import AnalysisError, nearest
from p2p.execution import Work
from p2p.model import ValueRef
from p2p.step import Step

Namespace = dict[str, Any]


@dataclass(frozen=True)
class MarkedCell:
    """A step cell that is about to run.

    Attributes:
        mark: what its first line says.
        names: what its code reads and writes.
        number: its prompt number.
    """

    mark: Mark
    names: CellNames
    number: int

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.mark.outputs if self.mark.outputs is not None else step_outputs(self.names)

    def inputs(self, namespace: Namespace) -> dict[str, Any]:
        """The data that the cell reads, by name; modules, functions and classes are code, not data."""
        names = self.mark.inputs if self.mark.inputs is not None else step_inputs(self.names)
        return {name: namespace[name] for name in names if name in namespace and is_data(namespace[name])}


def read_cell(mark: Mark, body: str, number: int) -> MarkedCell:
    """The marked cell, its declared names checked against its code."""
    cell = MarkedCell(mark, cell_names(body), number)
    check_outputs(mark, cell.names)
    return cell


def check_outputs(mark: Mark, names: CellNames) -> None:
    """Refuse a declared output that the cell never assigns or changes."""
    for name in mark.outputs or ():
        if name not in names.writes and name not in names.mutates:
            close = nearest(name, names.writes)
            raise AnalysisError(
                f"Step '{mark.name}' declares the output '{name}', which its cell never assigns.",
                cure=f"Closest name: '{close}'." if close else "Assign it in the cell, or take it from the mark.",
            )


def check_inputs(cell: MarkedCell, namespace: Namespace, step_values: Mapping[str, Any]) -> None:
    """Refuse declared inputs that are not there, and reads of step values or parameters that are not declared."""
    declared = cell.mark.inputs
    if declared is None:
        return
    for name in declared:
        if name not in namespace:
            close = nearest(name, [n for n in namespace if not n.startswith("_")])
            hint = f" Closest name: '{close}'." if close else ""
            raise AnalysisError(f"Step '{cell.mark.name}' reads '{name}', which no cell has defined.{hint}")
        if name not in cell.names.reads and name not in cell.names.mutates:
            raise AnalysisError(
                f"Step '{cell.mark.name}' declares the input '{name}', which its cell never reads.",
                cure="Take it from the mark.",
            )
    missing = [name for name in cell.names.reads if name in step_values and name not in declared]
    if missing:
        raise AnalysisError(
            f"Step '{cell.mark.name}' reads {', '.join(map(repr, missing))}, which its mark does not declare.",
            cure=f"Write %%step {cell.mark.name}({', '.join([*declared, *missing])}).",
        )


def is_data(value: Any) -> bool:
    """Whether a value is data, and not code: no module, function, class or step."""
    return not isinstance(value, types.ModuleType | types.FunctionType | types.BuiltinFunctionType | type | Step)


def cell_work(
    cell: MarkedCell,
    namespace: Namespace,
    attempt: Callable[[], Coroutine[Any, Any, None]],
    known: Mapping[str, ValueRef],
) -> Work:
    """The cell as work for `run_step`; `attempt` runs its statements once and raises what they raise."""
    before = dict(namespace)

    def outputs() -> dict[str, Any]:
        return {name: namespace[name] for name in cell.outputs if name in namespace}

    async def waiting() -> dict[str, Any]:
        await attempt()
        return outputs()

    def straight() -> dict[str, Any]:
        finish(attempt())
        return outputs()

    def reset() -> None:
        for name in [n for n in namespace if n not in before]:
            del namespace[name]
        namespace.update(before)

    return Work(
        name=cell.mark.name,
        body=waiting if cell.names.has_await else straight,
        inputs=cell.inputs(namespace),
        known=known,
        policy=cell.mark.policy,
        reset=reset,
        coroutine=cell.names.has_await,
        attributes={"cell": cell.number},
    )


def finish(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never waits to its end."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    raise RuntimeError("the cell tried to wait where it cannot")
