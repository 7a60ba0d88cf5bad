"""From a notebook's pieces to the plan of its module."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from p2p.analysis import Place, StepFunction, looking_in, places_of
from p2p.errors import AnalysisError
from p2p.export.bodies import is_dropped
from p2p.export.globals import can_be_nonlocal, with_nonlocals
from p2p.export.needs import Needs, find_needs
from p2p.export.neighbours import find_neighbours
from p2p.export.pieces import CallPiece, CellPiece, FreePiece, Piece, Pieces, cut, globals_of
from p2p.export.plan import LeftOut, Plan, PlannedStep
from p2p.export.policies import function_policy, planned_policy
from p2p.export.statements import Statement
from p2p.export.unreachable import refuse_dynamic, refuse_imports
from p2p.notebook import Notebook
from p2p.policy import Policy


def compile_notebook(
    notebook: Notebook, name: str, parameters: Iterable[str], keep: Collection[int] = (), *, displays: bool = False
) -> Plan:
    """The plan of the module that a notebook becomes.

    Args:
        notebook: what to export.
        name: the pipeline's name.
        parameters: names of the notebook's parameters.
        keep: places of unmarked statements that are needed for what they do, though no name leads to them.
        displays: keep what seems only to show something.

    Raises:
        AnalysisError: it has no steps, or a step's needs cannot be told or met.
    """
    places = places_of(notebook.path.resolve().parent, [cell.source for cell in notebook.cells])
    with looking_in(places):
        return _compiled(notebook, name, frozenset(parameters), keep, places, displays=displays)


def _compiled(
    notebook: Notebook, name: str, known: frozenset[str], keep: Collection[int], places: Sequence[Place], *,
    displays: bool,
) -> Plan:  # fmt: skip
    pieces = cut(notebook, known, displays=displays)
    if not any(isinstance(p, CellPiece | CallPiece) for p in pieces.all):
        raise AnalysisError(
            f"'{notebook.path}' has no steps, so there is nothing to export.",
            cure="Mark its cells with %%step NAME, or decorate functions with @step and call them.",
        )
    needs = find_needs(pieces, known)
    if keep:
        pieces = pieces.changing(keep, needs.is_data)
        needs = find_needs(pieces, known, keep)
    return _Builder(name, pieces, needs, places).plan()


class _Builder:
    """Turns pieces and their needs into planned steps."""

    def __init__(self, name: str, pieces: Pieces, needs: Needs, places: Sequence[Place]) -> None:
        self.name = name
        self.places = places
        self.pieces = pieces
        self.needs = needs
        self.calls: dict[str, int] = {}
        self.nonlocals: dict[int, set[str]] = {}

    def plan(self) -> Plan:
        steps: list[tuple[int, PlannedStep]] = []
        for piece in self.pieces.all:
            if isinstance(piece, CellPiece):
                steps.append((piece.order, self._cell_step(piece)))
            elif isinstance(piece, CallPiece):
                steps.append((piece.order, self._call_step(piece)))
        taken = {step.name for _order, step in steps}
        for group in self.needs.implicit_groups():
            steps.append((group[0].order, self._implicit_step(group, taken)))
            taken.add(steps[-1][1].name)
        self._refuse_globals()
        refuse_imports(self.needs, self.places)
        refuse_dynamic(self.pieces, self.needs)
        ordered = tuple(step for _order, step in sorted(steps, key=lambda pair: pair[0]))
        self._refuse_twins(ordered)
        modules = self.needs.at_module_level
        plan = Plan(
            name=self.name,
            steps=ordered,
            imports=tuple(_written_out(p.statement, self.needs.wanted) for p in modules if p.statement.is_import),
            setup=tuple(p.statement for p in modules if self.needs.is_setup(p)),
            helpers=tuple(p.statement for p in modules if not p.statement.is_import and not self.needs.is_setup(p)),
            nested=self._nested(),
            nested_sources=tuple(self._nested_sources()),
            left_out=self._apart(lambda piece: not self.needs.has(piece)),
            kept=self._apart(self.needs.is_kept),
            constants=self._apart(self.needs.is_constant),
        )
        return replace(plan, neighbours=find_neighbours(plan.sources, self.places))

    def _cell_step(self, piece: CellPiece) -> PlannedStep:
        local = self.needs.local_to(piece)
        inputs = self.needs.data_reads(piece, local)
        declared = piece.mark.inputs
        if declared is not None:
            missing = [n for n in inputs if n not in declared]
            if missing:
                raise AnalysisError(
                    f"Cell {piece.cell.number}: step '{piece.mark.name}' reads {', '.join(map(repr, missing))}, "
                    "which its mark does not declare.",
                    cure=f"Write %%step {piece.mark.name}({', '.join([*declared, *missing])}).",
                )
            inputs = tuple(n for n in declared if n in inputs)
        policy = planned_policy(piece.mark.policy, piece.mark.name, piece, self.needs, inputs)
        hoisted = self.needs.hoisted_from(piece)
        body = [
            s for s in piece.statements if s.line not in hoisted and not is_dropped(s, displays=self.pieces.displays)
        ]
        self.nonlocals[piece.order] = {n for n in globals_of(piece) if self._stays_inside(n, piece, body, inputs)}
        outputs = self.needs.outputs(piece)
        recorded = [n for n in piece.names.maybe_writes if piece.names.kinds[n] == "value"]
        unsure = [n for n in recorded if n in outputs and n not in inputs]
        return PlannedStep(
            name=piece.mark.name, function=self._function_name(piece), inputs=inputs, outputs=outputs,
            maybe=tuple(unsure), source="\n".join(self._in_body(s, piece).source for s in body), policy=policy,
            order=piece.order, cell=piece.cell.number,
            cell_id=piece.cell.id, heading=piece.cell.heading, is_async=piece.names.has_await,
            local=tuple(_written_out(p.statement, self.needs.wanted) for p in local),
        )  # fmt: skip

    def _function_name(self, piece: CellPiece) -> str:
        """The step's name, unless its function would hide what the module calls by that name."""
        name = piece.mark.name
        return f"{name}_step" if name in self.needs.wanted or name in self._own_names else name

    @cached_property
    def _own_names(self) -> frozenset[str]:
        """Names of Python's own that the notebook uses."""
        names = [p.names if isinstance(p, CellPiece) else p.statement.names for p in self.pieces.all
                 if isinstance(p, CellPiece | FreePiece)]  # fmt: skip
        return frozenset(name for found in names for name in found.builtin_reads)

    def _in_body(self, statement: Statement, piece: CellPiece) -> Statement:
        """The statement as a function can hold it: globals of the cell are its own names, star imports written out."""
        if not _is_star(statement):
            return with_nonlocals(statement, self.nonlocals[piece.order])
        used = {n.id for s in piece.statements for n in ast.walk(s.node) if isinstance(n, ast.Name)}
        return _written_out(statement, used)

    def _call_step(self, piece: CallPiece) -> PlannedStep:
        function, cell = self.pieces.functions[piece.call.function]
        self.calls[function.name] = self.calls.get(function.name, 0) + 1
        number = self.calls[function.name]
        self.needs.check_function(function, piece)
        self.needs.check_arguments(piece)
        return PlannedStep(
            name=function.name if number == 1 else f"{function.name}_{number}", function=function.name,
            inputs=_argument_names(function, piece), outputs=piece.call.targets, source=function.source,
            policy=self._function_policy(function, piece), order=piece.order, cell=cell.number, cell_id=cell.id,
            heading=cell.heading, called_in=piece.cell.number,
            is_function=True, is_async=function.is_async, call=piece.source,
            over=piece.reads[0] if piece.call.mapped and piece.reads else "",
        )  # fmt: skip

    def _implicit_step(self, group: list[FreePiece], taken: Collection[str]) -> PlannedStep:
        reads = self.needs.group_reads(group)
        gives = tuple(
            dict.fromkeys(n for p in group for n in p.gives if not n.startswith("_") or n in self.needs.wanted)
        )
        cell = group[0].cell
        name = _free_name(f"prepare_{gives[0]}" if gives else f"setup_{cell.number}", cell.number, taken)
        return PlannedStep(
            name=name, function=name, inputs=reads, outputs=gives, source="\n".join(p.statement.source for p in group),
            order=group[0].order, cell=cell.number, cell_id=cell.id, heading=cell.heading, implicit=True,
            is_async=any(p.statement.names.has_await for p in group),
        )  # fmt: skip

    def _nested(self) -> dict[str, Policy]:
        functions = [self.pieces.functions[name][0] for name in self.needs.nested()]
        for function in functions:
            self.needs.check_function(function, self.pieces.all[-1])
        return {function.name: self._function_policy(function, self.pieces.all[-1]) for function in functions}

    def _function_policy(self, function: StepFunction, piece: Piece) -> Policy:
        return planned_policy(function_policy(function), function.name, piece, self.needs, None)

    def _nested_sources(self) -> Iterator[str]:
        for name in self.needs.nested():
            if name not in self.calls:
                yield self.pieces.functions[name][0].source

    def _apart(self, wanted: Callable[[FreePiece], bool]) -> tuple[LeftOut, ...]:
        return tuple(
            LeftOut(order=p.order, cell=p.cell.number, what=ast.unparse(p.statement.node).splitlines()[0][:80],
                    reads=p.reads)
            for p in self.pieces.all if isinstance(p, FreePiece) and not p.in_step and wanted(p)
        )  # fmt: skip

    def _refuse_globals(self) -> None:
        """`global x` means the module's `x`, and what a step makes is never that."""
        for piece in self.pieces.all:
            for name in globals_of(piece):
                if self._goes_into_a_step(piece, name):
                    raise AnalysisError(
                        f"Cell {piece.cell.number}: `global {name}` means a variable of the module, and '{name}' is a "
                        "step's value.",
                        cure=f"Give '{name}' to the function as an argument, and return it.",
                    )

    def _goes_into_a_step(self, piece: Piece, name: str) -> bool:
        if isinstance(piece, FreePiece):
            return not piece.in_step and self.needs.has(piece) and self.needs.kind(piece) != "module"
        return isinstance(piece, CellPiece) and name in piece.names.writes and name not in self.nonlocals[piece.order]

    def _stays_inside(self, name: str, piece: CellPiece, body: list[Statement], inputs: Collection[str]) -> bool:
        """Whether only functions that the step alone uses declare the name `global`, so that it can be the step's."""
        leaves = any(name in globals_of(p) for p in self.needs.used_elsewhere(piece))
        return not leaves and can_be_nonlocal(name, body, inputs)

    def _refuse_twins(self, steps: Iterable[PlannedStep]) -> None:
        seen: dict[str, PlannedStep] = {}
        for step in steps:
            twin = seen.setdefault(step.name, step)
            if twin is not step:
                raise AnalysisError(
                    f"Cells {twin.cell} and {step.cell} both make a step named '{step.name}'.",
                    cure="Rename one of them.",
                )


def _is_star(statement: Statement) -> bool:
    return isinstance(statement.node, ast.ImportFrom) and statement.node.names[0].name == "*"


def _written_out(statement: Statement, wanted: Collection[str]) -> Statement:
    """The statement; a star import with the names that are wanted written out."""
    node = statement.node
    if not (isinstance(node, ast.ImportFrom) and _is_star(statement)):
        return statement
    names = [ast.alias(name) for name in statement.names.writes if name in wanted]
    written = ast.ImportFrom(node.module, names, node.level) if names else ast.Pass()
    return Statement(ast.unparse(written), written, statement.cell, statement.line)


def _free_name(name: str, cell: int, taken: Collection[str]) -> str:
    """The name, made another one where a step has it already."""
    numbered = (name, f"{name}_{cell}", *(f"{name}_{cell}_{n}" for n in range(2, len(taken) + 3)))
    return next(free for free in numbered if free not in taken)


def _argument_names(function: StepFunction, piece: CallPiece) -> tuple[str, ...] | dict[str, str]:
    """The names of a call's arguments: in order, or by argument where one is given by keyword."""
    names = piece.reads
    if all(keyword is None for keyword, _source in piece.call.arguments):
        return names
    written = zip(piece.call.arguments, names, strict=True)
    return {keyword or function.parameters[place]: name for place, ((keyword, _text), name) in enumerate(written)}
