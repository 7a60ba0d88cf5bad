"""Python's scopes: which names a block binds, and in which scope a name is found."""

# ruff: noqa: N815 - `ast.NodeVisitor` names its methods after the classes of nodes

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from p2p.analysis.flow import Flow

Kind = Literal["module", "class", "function", "comprehension", "type parameters"]
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(eq=False)
class Frame:
    """One scope while it is walked through.

    Attributes:
        kind: what made it.
        parent: the scope around it; None for the module.
        locals: names that belong to it (function, comprehension, type parameters), or that it binds somewhere (class).
        globals: names that it declares `global`.
        flow: what it has bound so far (module, class, function).
        late: names that methods of a class read when called, with their places (class).
    """

    kind: Kind
    parent: Frame | None = None
    locals: frozenset[str] = frozenset()
    globals: set[str] = field(default_factory=set)
    flow: Flow = field(default_factory=Flow)
    late: list[Read] = field(default_factory=list)

    def owner(self, name: str) -> Frame:
        """The scope in which this scope finds `name`; the module's when no scope between binds it."""
        return self._owner(name, asking=self)

    def _owner(self, name: str, asking: Frame) -> Frame:
        if self.parent is None:
            return self
        if name in self.globals:
            return self.module()
        if self.kind == "class":
            if name in self.flow.bound:
                return self
            if name in self.locals:
                return self.module()  # Python looks for it there, past the functions around the class
        elif name in self.locals:
            return self
        outer = self.parent
        sees_class = self is asking and self.kind == "type parameters"  # annotations do, functions within do not
        while outer.kind == "class" and outer.parent is not None and not sees_class:
            outer = outer.parent
        return outer._owner(name, asking)

    def module(self) -> Frame:
        frame = self
        while frame.parent is not None:
            frame = frame.parent
        return frame

    def binder(self) -> Frame:
        """The scope in which an assignment expression binds: the nearest that is no comprehension."""
        frame = self
        while frame.kind in ("comprehension", "type parameters") and frame.parent is not None:
            frame = frame.parent
        return frame


@dataclass(frozen=True, slots=True, order=True)
class Read:
    """A name that is read, and where."""

    line: int
    column: int
    name: str


@dataclass
class Bindings(ast.NodeVisitor):
    """The names that a block binds in its own scope, whatever its flow; nested scopes are left out."""

    bound: set[str] = field(default_factory=set)
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, nodes: Iterable[ast.AST]) -> Bindings:
        found = cls()
        for node in nodes:
            found.visit(node)
        return found

    @property
    def locals(self) -> frozenset[str]:
        return frozenset(self.bound - self.globals - self.nonlocals)

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.bound.add(node.id)

    def visit_Global(self, node: ast.Global) -> None:
        self.globals.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.nonlocals.update(node.names)

    def visit_alias(self, node: ast.alias) -> None:
        self.bound.add(imported_name(node))

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self._add(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        self._add(node.name)
        self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        self._add(node.name)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self._add(node.rest)
        self.generic_visit(node)

    def visit_FunctionDef(self, node: FunctionNode | ast.ClassDef) -> None:
        self.bound.add(node.name)
        for decorator in node.decorator_list:
            self.visit(decorator)

    visit_AsyncFunctionDef = visit_FunctionDef
    visit_ClassDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """A lambda binds in its own scope only."""

    def visit_ListComp(self, node: Comprehension) -> None:
        self.bound.update(n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr))

    visit_SetComp = visit_ListComp
    visit_DictComp = visit_ListComp
    visit_GeneratorExp = visit_ListComp

    def _add(self, name: str | None) -> None:
        if name:
            self.bound.add(name)


def imported_name(alias: ast.alias) -> str:
    """The name that `import a.b` (a) or `import a.b as c` (c) binds."""
    return alias.asname or alias.name.partition(".")[0]


def deleted_names(nodes: Iterable[ast.AST]) -> set[str]:
    """Names that may be gone after these nodes: those of `del`, and of `except ... as`."""
    walked = [inner for node in nodes for inner in ast.walk(node)]
    deleted = {n.id for n in walked if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Del)}
    return deleted | {n.name for n in walked if isinstance(n, ast.ExceptHandler) and n.name}


def argument_names(arguments: ast.arguments) -> list[str]:
    """Every name that a function's head binds, in the order of the source."""
    stars = [a for a in (arguments.vararg, arguments.kwarg) if a is not None]
    plain = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [argument.arg for argument in sorted([*plain, *stars], key=lambda a: (a.lineno, a.col_offset))]
