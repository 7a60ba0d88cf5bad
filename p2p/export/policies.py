"""A step's policy as the module states it: exceptions by their full names, the fallback by its place in `steps.py`."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import replace

from p2p.analysis import StepFunction
from p2p.errors import AnalysisError
from p2p.export.needs import Needs, imported
from p2p.export.pieces import FreePiece, Piece
from p2p.policy import Named, Policy


def function_policy(function: StepFunction) -> Policy:
    """The policy of a decorated function. Raises AnalysisError where its text does not tell it."""
    if function.unclear:
        options = ", ".join(f"`{name}`" for name in function.unclear)
        raise AnalysisError(
            f"Step '{function.name}': what its decorator gives for {options} cannot be told from the text.",
            cure="Write options of `@step` as literals, exceptions by their names, and a fallback as one name.",
        )
    try:
        return Policy(**function.policy_source)
    except (TypeError, ValueError) as error:
        raise AnalysisError(f"Step '{function.name}': {error}.", cure="Change the option.") from error


def planned_policy(policy: Policy, step: str, piece: Piece, needs: Needs, takes: Collection[str] | None) -> Policy:
    """The policy with the names that hold in the module.

    Args:
        policy: as the notebook gives it.
        step: the step's name.
        piece: where it stands.
        needs: what the steps need.
        takes: the inputs of a cell, which its fallback takes by name; None for a function step.

    Raises:
        AnalysisError: its fallback depends on data, or takes what the step does not.
    """
    if isinstance(policy.fallback, Named):
        missing = [p for p in _needed_by(policy.fallback.name, step, piece, needs) if p not in (takes or ())]
        if takes is not None and missing:
            raise AnalysisError(
                f"Cell {piece.cell.number}: the fallback '{policy.fallback.name}' of step '{step}' takes "
                f"{', '.join(map(repr, missing))}, which the step does not.",
                cure="Give it parameters with the names of the step's inputs, or none.",
            )
    names = [policy.retry_on] if isinstance(policy.retry_on, str | type) else policy.retry_on
    return replace(policy, retry_on=tuple(_full_name(str(name), needs, piece.order) for name in names))


def _needed_by(fallback: str, step: str, piece: Piece, needs: Needs) -> list[str]:
    """The parameters that a fallback needs; none for a constant."""
    if fallback in needs.pieces.functions:
        function = needs.pieces.functions[fallback][0]
        return [p for p in function.parameters if p not in function.optional]
    writer = needs.writer(fallback, piece.order)
    if not isinstance(writer, FreePiece) or needs.kind(writer) != "module" or writer.statement.is_import:
        raise AnalysisError(
            f"Cell {piece.cell.number}: the fallback '{fallback}' of step '{step}' cannot be written into a module.",
            cure="Make it a function that a cell above defines, or a constant that depends on no data.",
        )
    node = writer.statement.node
    return _needed(node.args) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else []


def _needed(arguments: ast.arguments) -> list[str]:
    """The parameters without a default value."""
    positional = [*arguments.posonlyargs, *arguments.args]
    required = positional[: len(positional) - len(arguments.defaults)]
    keywords = [a for a, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default is None]
    return [a.arg for a in (*required, *keywords)]


def _full_name(name: str, needs: Needs, before: int) -> str:
    """An exception's name without the notebook's own short names: `rq.Timeout` is `requests.Timeout`."""
    first, dot, rest = name.partition(".")
    writer = needs.writer(first, before)
    if isinstance(writer, FreePiece) and writer.statement.is_import:
        meaning = ".".join(filter(None, imported(first, writer.statement.node) or (first,)))
        return meaning + dot + rest
    return name
