"""A `steps.py` cut into units that are known by name, so that each can be told edited or not.

A unit is a function, a constant, or another statement at the module's top. What the export adds when it makes a
function of a cell (docstring, annotations, the order of inputs and outputs) is no part of what the unit means.
"""

from __future__ import annotations

import ast
import copy
import io
import tokenize
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from blake3 import blake3

from p2p.analysis import digest_source
from p2p.export.moving import brought_home
from p2p.export.plan import Plan
from p2p.export.statements import Statement, split_statements

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """A `steps.py`.

    Attributes:
        text: the whole of it.
        units: by name; statements without one are `statement`, those that share one are counted: `RATE`, `RATE 2`.
        imports: by the name it binds, the statement that binds it.
        generated: names of the functions that the export made of cells.
    """

    text: str
    units: Mapping[str, Statement]
    imports: Mapping[str, str]
    generated: frozenset[str]

    def meaning(self, name: str) -> str:
        """A digest of what a unit does: layout and comments do not count."""
        node = self.units[name].node
        return digest_source(ast.unparse(undressed(node) if name in self.generated else node))

    def mark(self, name: str) -> str:
        """A digest by which an edit of a unit shows, that of a comment too."""
        comments = _comments(self.units[name].source)
        return str(blake3("\n".join([self.meaning(name), *comments]).encode()).hexdigest())


def cut_module(text: str, generated: Collection[str]) -> Module:
    """Cut the text of a `steps.py`, which must be Python; its units import as the notebook does."""
    units: dict[str, Statement] = {}
    imports: dict[str, str] = {}
    text = brought_home(text)
    for place, statement in enumerate(split_statements(text, 0)):
        if statement.is_import:
            imports.update(bindings(statement.node))
        elif place or not is_docstring(statement.node):
            units[_free(_name(statement.node), units)] = statement
    return Module(text, units, imports, frozenset(generated))


def unit_marks(text: str, plan: Plan) -> dict[str, str]:
    """By name: the mark of each unit of a `steps.py` that was just written."""
    module = cut_module(text, made_of_cells(plan))
    return {name: module.mark(name) for name in module.units}


def made_of_cells(plan: Plan) -> frozenset[str]:
    """Names of the functions that the export makes of cells, where the others are the author's own."""
    return frozenset(step.function for step in plan.steps if not step.is_function)


def bindings(node: ast.stmt) -> Iterator[tuple[str, str]]:
    """Each name that an import binds, with a statement that binds just it."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            single = copy.copy(node)
            single.names = [alias]
            yield alias.asname or alias.name.partition(".")[0], ast.unparse(single)


def is_docstring(node: ast.AST) -> bool:
    """Whether a statement is a text that stands alone."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def final_return(node: Function) -> ast.Return | None:
    """The last statement of a function, where it is a `return`."""
    last = node.body[-1]
    return last if isinstance(last, ast.Return) else None


def undressed(node: ast.stmt) -> ast.stmt:
    """A copy of a function as its cell knows it: without docstring and annotations, its inputs and outputs sorted."""
    if not isinstance(node, Function):
        return node
    bare = copy.deepcopy(node)
    bare.body = [*bare.body[is_docstring(bare.body[0]) :]] or [ast.Pass()]
    bare.returns = None
    for argument in ast.walk(bare.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    if not bare.args.defaults:
        bare.args.args.sort(key=lambda argument: argument.arg)
    given = final_return(bare)
    if given and isinstance(given.value, ast.Tuple):
        given.value.elts.sort(key=ast.unparse)
    return bare


def _name(node: ast.stmt) -> str:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return node.name
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    names = [name.id for target in targets if target for name in ast.walk(target) if isinstance(name, ast.Name)]
    return ", ".join(names) if isinstance(node, ast.Assign | ast.AnnAssign) else "statement"


def _free(name: str, taken: Collection[str]) -> str:
    numbered = (name, *(f"{name} {number}" for number in range(2, len(taken) + 3)))
    return next(free for free in numbered if free not in taken)


def _comments(source: str) -> list[str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]
