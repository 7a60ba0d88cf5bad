"""A cell as a step: what it reads and writes, and how IPython's own run of the cell becomes a step's body.

The cell runs exactly as it would without the mark (display, history, tracebacks, top-level await), because IPython
itself runs it; only the call that executes its statements is wrapped in `run_step`.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final

from p2p.analysis import CellNames, Mark, cell_names, step_inputs, step_outputs
from p2p.cache import code_of_cell
from p2p.errors import AnalysisError, RunFailed, nearest
from p2p.execution import Recalled, Work, fallback_result, unmet
from p2p.model import ValueRef
from p2p.policy import Policy
from p2p.steps import Step
from p2p.steps.decorator import name_outputs

Namespace = dict[str, Any]


@dataclass(frozen=True)
class MarkedCell:
    """A step cell that is about to run.

    Attributes:
        mark: what its first line says.
        names: what its code reads and writes.
        number: its prompt number.
        body: its code, without the mark.
    """

    mark: Mark
    names: CellNames
    number: int
    body: str = ""

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.mark.outputs if self.mark.outputs is not None else step_outputs(self.names)

    def inputs(self, namespace: Namespace) -> dict[str, Any]:
        """The data that the cell reads, by name; modules, functions and classes are code, not data."""
        names = self.mark.inputs if self.mark.inputs is not None else step_inputs(self.names)
        return {name: namespace[name] for name in names if name in namespace and is_data(namespace[name])}

    def touched(self, namespace: Namespace) -> dict[str, Any]:
        """The data that it may change in place: all that it reads, declared or not, and all that it changes."""
        names = dict.fromkeys([*step_inputs(self.names), *self.names.mutates])
        return {name: namespace[name] for name in names if name in namespace and is_data(namespace[name])}


def read_cell(mark: Mark, body: str, number: int) -> MarkedCell:
    """The marked cell, its declared names checked against its code."""
    cell = MarkedCell(mark, cell_names(body), number, body)
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


def policy_of(cell: MarkedCell, namespace: Namespace) -> Policy:
    """The policy of the mark, with the fallback and exceptions that its names stand for."""
    named = cell.mark.policy.fallback
    try:
        policy = cell.mark.policy.within(namespace)
    except KeyError:
        name = named.name
        close = nearest(name, [n for n in namespace if not n.startswith("_")])
        hint = f"Closest name: '{close}'." if close else "Define it in a cell above."
        what = f"Step '{cell.mark.name}' has the fallback '{name}', which no cell has defined."
        raise AnalysisError(what, cure=hint) from None
    missing = unmet(policy.fallback, cell.inputs(namespace))
    if missing:
        raise AnalysisError(
            f"Step '{cell.mark.name}': its fallback '{named.name}' takes {', '.join(map(repr, missing))}, which the "
            "step does not read.",
            cure="Give it parameters with the names of the step's inputs, or none.",
        )
    return policy


_CODE: Final = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type, Step)  # asked of all names


def is_data(value: Any) -> bool:
    """Whether a value is data, and not code: no module, function, class or step."""
    return not isinstance(value, _CODE)


def cell_work(
    cell: MarkedCell,
    namespace: Namespace,
    attempt: Callable[[], Coroutine[Any, Any, None]],
    known: Mapping[str, ValueRef],
    policy: Policy,
    define: Callable[[], None] | None = None,
    needed: Collection[str] = (),
) -> Work:
    """The cell as work for `run_step`.

    Args:
        cell: the cell.
        namespace: the notebook's names.
        attempt: runs its statements once and raises what they raise.
        known: references of values that are known to be unchanged.
        policy: the mark's, its names standing for what they stand for.
        define: runs its imports and definitions alone; None where they cannot be told from its work, so that it always
            has to run.
        needed: the names that other cells read.
    """
    before = dict(namespace)
    inputs = cell.inputs(namespace)

    def outputs() -> dict[str, Any]:
        return {name: namespace[name] for name in cell.outputs if name in namespace}

    async def waiting() -> dict[str, Any]:
        await attempt()
        return outputs()

    def straight() -> dict[str, Any]:
        finish(attempt())
        return outputs()

    def reset(values: Mapping[str, Any]) -> None:
        for name in [n for n in namespace if n not in before]:
            del namespace[name]
        namespace.update({**before, **values})

    def fallback() -> dict[str, Any]:
        given = {name: namespace[name] for name in inputs}
        namespace.update(_fallback_outputs(cell, fallback_result(policy.fallback, given)))
        return outputs()

    def others() -> dict[str, Any]:
        kinds = {name for name in cell.names.writes if cell.names.kinds[name] in ("value", "loop")} - {*cell.outputs}
        return {name: namespace[name] for name in sorted(kinds & {*needed}) if name in namespace}

    def restored(found: Recalled) -> None:
        assert define is not None
        define()
        for name in cell.names.deletes:
            namespace.pop(name, None)
        namespace.update({**found.others, **found.outputs})

    return Work(
        name=cell.mark.name,
        body=waiting if cell.names.has_await else straight,
        inputs=inputs,
        known=known,
        policy=policy,
        touched=cell.touched(namespace),
        reset=reset,
        fallback=fallback if policy.has_fallback else None,
        coroutine=cell.names.has_await,
        code=None if define is None else lambda: code_of_cell(cell.body, cell.names, namespace),
        others=others,
        restored=None if define is None else restored,
        attributes={"cell": cell.number},
    )


def _fallback_outputs(cell: MarkedCell, result: Any) -> dict[str, Any]:
    """The cell's outputs, as its fallback gives them: the value itself for one, a tuple of as many for several."""
    if not cell.outputs:
        return {}
    outputs = name_outputs(result, cell.outputs)
    if len(outputs) == len(cell.outputs):
        return outputs
    raise RunFailed(
        f"The fallback of step '{cell.mark.name}' gave one {type(result).__name__} for {', '.join(cell.outputs)}.",
        cure=f"Give a tuple of {len(cell.outputs)} values, in this order.",
    )


def finish(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never waits to its end."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    raise RuntimeError("the cell tried to wait where it cannot")
