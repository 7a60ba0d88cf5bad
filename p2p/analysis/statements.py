"""Names in statements: assignments, branches, loops, errors, definitions and imports."""

# ruff: noqa: N802, N815 - `ast.NodeVisitor` names its methods after the classes of nodes

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from functools import partial

from p2p.analysis.expressions import Expressions
from p2p.analysis.flow import DEAD, Flow, always_matches, join, runs_at_least_once, suppresses_errors
from p2p.analysis.mutation import aliases, roots
from p2p.analysis.scopes import (
    Bindings,
    Frame,
    FunctionNode,
    Read,
    argument_names,
    deleted_names,
    imported_name,
)
from p2p.analysis.stars import star_names


class Statements(Expressions):
    """Walks statements and follows what is bound along every way through them."""

    def __init__(self) -> None:
        super().__init__()
        self._continues: list[list[Flow]] = []
        self._breaks: list[list[Flow]] = []

    def walk(self, tree: ast.Module) -> None:
        """Walk a whole cell."""
        self.block(tree.body)
        self.ending = self.module.flow
        self.call_everything()

    def block(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            self.visit(statement)

    def _from(self, flow: Flow, statements: Iterable[ast.stmt]) -> Flow:
        """Walk statements from `flow` on; what is bound after them."""
        self.flow = flow
        self.block(statements)
        return self.flow

    # --- assignments ---

    def visit_Assign(self, node: ast.Assign) -> None:
        targets = [target.id for target in node.targets if isinstance(target, ast.Name)]
        named = isinstance(node.value, ast.Lambda) and len(targets) == len(node.targets) and self.frame is self.module
        reads = self.lambda_reads(node.value) if named and isinstance(node.value, ast.Lambda) else []
        if not named:
            self.visit(node.value)
        for target in node.targets:
            self.store(target, "value")
            self.alias(aliases(target, node.value))
        for name in targets:
            self.defer(reads, name)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        target = node.target
        self.mutate([target] if isinstance(target, ast.Name) else [], spreads=False)  # a number far more often than not
        if isinstance(target, ast.Name):
            self.read(target.id, target)
            self.visit(node.value)
            self.bind(target.id, "value")
        else:
            self.visit(target)
            self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self.store(node.target, "value")
            self.alias(aliases(node.target, node.value))
        elif not isinstance(node.target, ast.Name):
            self.visit(node.target.value)
        if self.frame.binder().kind != "function":  # a function's own annotations are never evaluated
            self.defer(self._annotation(node.annotation), getattr(node.target, "id", ""))

    def _annotation(self, annotation: ast.expr | None) -> list[Read]:
        """Walk an annotation; what it reads later, where annotations are kept as text."""
        if annotation is None:
            return []
        if self.lazy_annotations:
            return self.reads_of(self.frame, lambda: self.visit(annotation))
        with self.not_calling():
            self.visit(annotation)
        return []

    # --- branches ---

    def visit_If(self, node: ast.If) -> None:
        holds, fails = self.condition(node.test)
        self.flow = join(self._from(holds, node.body), self._from(fails, node.orelse))

    def visit_Assert(self, node: ast.Assert) -> None:
        holds, fails = self.condition(node.test)
        self.flow = fails
        if node.msg is not None:
            self.visit(node.msg)
        self.flow = holds

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        ends, unmatched = [], self.flow
        for case in node.cases:
            matched, unmatched = self._case(case, unmatched)
            self._alias_captures(case.pattern, node.subject)
            ends.append(self._from(matched, case.body))
        self.flow = join(*ends, unmatched)

    def _alias_captures(self, pattern: ast.pattern, subject: ast.expr) -> None:
        """What a pattern captures is a part of the subject; in a class, a name is its own only once it is bound."""
        names = [ast.Name(name, ast.Store()) for name in sorted(Bindings.of([pattern]).bound)]
        self.alias((name, other) for name in names for other in roots(subject))

    def _case(self, case: ast.match_case, before: Flow) -> tuple[Flow, Flow]:
        """Walk a pattern and its guard; what is bound where they match, and where not."""
        self.flow = before
        self.visit(case.pattern)
        matched, failed = self.condition(case.guard) if case.guard is not None else (self.flow, DEAD)
        missed = DEAD if always_matches(case) else before.possibly(Bindings.of([case.pattern]).bound)
        return matched, join(missed, failed)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        self.generic_visit(node)
        self._capture(node.name)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        self._capture(node.name)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self.generic_visit(node)
        self._capture(node.rest)

    def _capture(self, name: str | None) -> None:
        if name is not None:
            self.bind(name, "loop")

    # --- loops ---

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        before = _interrupted(self.flow, [node.target, *node.body])  # an earlier turn may have come before
        self.flow = before
        self.store(node.target, "loop")
        self.loop_alias(node.target, node.iter)
        after, broken = self._loop_body(node.body)
        finished = after if runs_at_least_once(node.iter) else join(before, after)
        self.flow = join(self._from(finished, node.orelse), *broken)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> None:
        self.has_await = self.has_await or not self.late
        self.visit_For(node)

    def visit_While(self, node: ast.While) -> None:
        self.flow = _interrupted(self.flow, [node.test, *node.body])
        self.flow, fails = self.condition(node.test)
        after, broken = self._loop_body(node.body)
        finished = fails if fails.dead else join(fails, after)
        self.flow = join(self._from(finished, node.orelse), *broken)

    def _loop_body(self, body: Sequence[ast.stmt]) -> tuple[Flow, list[Flow]]:
        """Walk a loop's body; what is bound after one turn, and at each `break`."""
        continued: list[Flow] = []
        broken: list[Flow] = []
        self._continues.append(continued)
        self._breaks.append(broken)
        self.block(body)
        self._continues.pop()
        self._breaks.pop()
        return join(self.flow, *continued), broken

    def visit_Break(self, node: ast.Break) -> None:
        self._breaks[-1].append(self.flow)
        self.flow = DEAD

    def visit_Continue(self, node: ast.Continue) -> None:
        self._continues[-1].append(self.flow)
        self.flow = DEAD

    # --- errors and context managers ---

    def visit_Raise(self, node: ast.Raise | ast.Return) -> None:
        self.generic_visit(node)
        self.flow = DEAD

    visit_Return = visit_Raise

    def visit_Try(self, node: ast.Try | ast.TryStar) -> None:
        before = self.flow
        left = self._jumps()
        self.block(node.body)
        raised = _interrupted(before, node.body)
        ends = [self._from(self.flow, node.orelse)]
        ends += [self._handler(handler, raised) for handler in node.handlers]
        after = join(*ends)
        if node.finalbody:  # it also runs after an error anywhere above
            self._from(_interrupted(before, [*node.body, *node.handlers, *node.orelse]), node.finalbody)
            after = self._from(after, node.finalbody)
            for flows, count in left:  # a `break` above goes through it too
                flows[count:] = [_interrupted(flow, node.finalbody) for flow in flows[count:]]
        self.flow = after

    def visit_TryStar(self, node: ast.TryStar) -> None:
        self.visit_Try(node)

    def _jumps(self) -> list[tuple[list[Flow], int]]:
        """The ways out of the present loop by `break` and `continue`, and how many there are so far."""
        return [(flows, len(flows)) for flows in (*self._breaks[-1:], *self._continues[-1:])]

    def _handler(self, handler: ast.ExceptHandler, raised: Flow) -> Flow:
        self.flow, left = raised, self._jumps()
        if handler.type is not None:
            self.visit(handler.type)
        if handler.name is not None:  # bound for the block only, so never a write
            self.flow = self.flow.bind(handler.name)
        self.handlers += 1
        self.block(handler.body)
        self.handlers -= 1
        if handler.name is not None:
            self.flow = self.flow.unbind(handler.name)
            for flows, count in left:
                flows[count:] = [flow.unbind(handler.name) for flow in flows[count:]]
        return self.flow

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            self.visit(item.context_expr)
            if item.optional_vars is not None:
                self.store(item.optional_vars, "loop")
                self.alias(aliases(item.optional_vars, item.context_expr))
        entered = self.flow
        self.block(node.body)
        if suppresses_errors(node.items):
            self.flow = join(self.flow, _interrupted(entered, node.body))

    def visit_AsyncWith(self, node: ast.AsyncWith) -> None:
        self.has_await = self.has_await or not self.late
        self.visit_With(node)

    # --- definitions and imports ---

    def visit_FunctionDef(self, node: FunctionNode) -> None:
        for decorator in node.decorator_list:
            self.visit(decorator)
        self.defaults(node.args)
        parameters = self._type_parameters(node)
        with self.inside(parameters):
            reads = self._signature(node)
            bindings = Bindings.of(node.body)
            names = bindings.locals | set(argument_names(node.args))
            frame = Frame("function", self.frame, names, set(bindings.globals))
            reads += self.reads_of(frame, lambda: self.block(node.body))
        self.bind(node.name, "function")
        self.defer([*reads, *parameters.late], node.name)

    visit_AsyncFunctionDef = visit_FunctionDef

    def _signature(self, node: FunctionNode) -> list[Read]:
        annotated = [a for a in ast.walk(node.args) if isinstance(a, ast.arg)]
        annotations = [a.annotation for a in annotated] + [node.returns]
        return [found for annotation in annotations for found in self._annotation(annotation)]

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            self.visit(decorator)
        parameters = self._type_parameters(node)
        with self.inside(parameters):
            reads = self._bases(node)
            flow = Flow().bind("__module__").bind("__qualname__")
            with self.inside(Frame("class", self.frame, Bindings.of(node.body).locals, flow=flow)) as frame:
                self.block(node.body)
        self.bind(node.name, "class")
        self.defer([*reads, *frame.late, *parameters.late], node.name)

    def _bases(self, node: ast.ClassDef) -> list[Read]:
        """Walk the bases; their names, since whoever uses the class uses them."""
        bases = [*node.bases, *(keyword.value for keyword in node.keywords)]
        with self.not_calling():
            for base in bases:
                self.visit(base)
        names = [n for base in bases for n in ast.walk(base) if isinstance(n, ast.Name)]
        return [] if self.late else [Read(n.lineno, n.col_offset, n.id) for n in names if self._in_module(n.id)]

    def _in_module(self, name: str) -> bool:
        return self.frame.owner(name) is self.module

    def _type_parameters(self, node: ast.AST) -> Frame:
        """The scope of `[T: bound]` (Python 3.12 on), or the present one; bounds are evaluated when asked for."""
        parameters: list[ast.AST] = getattr(node, "type_params", [])
        if not parameters:
            return Frame("type parameters", self.frame)
        names = frozenset(getattr(parameter, "name", "") for parameter in parameters)
        frame = Frame("type parameters", self.frame, names)
        for parameter in parameters:
            frame.late += self.reads_of(frame, partial(self.generic_visit, parameter))
        return frame

    def visit_TypeAlias(self, node: ast.AST) -> None:
        """`type Name[T] = value` (Python 3.12 on): the value is evaluated when it is asked for."""
        frame = self._type_parameters(node)
        name, value = node.name, node.value  # type: ignore[attr-defined]  # no such node in Python 3.11
        reads = self.reads_of(frame, lambda: self.visit(value))
        self.bind(name.id, "class")
        self.defer([*frame.late, *reads], name.id)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            name = imported_name(alias)
            self.bind(name, "import")
            if self.frame is self.module:
                self.modules.add(name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self._star(node)
            else:
                self.bind(imported_name(alias), "import")
            if node.module == "__future__" and alias.name == "annotations":
                self.lazy_annotations = True

    def _star(self, node: ast.ImportFrom) -> None:
        names = star_names(node.module) if node.module and not node.level else None
        if names is None:
            what = f"from {'.' * node.level}{node.module or ''} import *"
            self.dynamic.setdefault((node.lineno, what))
        for name in sorted(names or ()):
            self.bind(name, "import")

    def visit_Global(self, node: ast.Global) -> None:
        if self.frame.kind == "class":  # a function's are known before its body is walked
            self.frame.globals.update(node.names)


def _interrupted(before: Flow, body: Sequence[ast.AST]) -> Flow:
    """What is bound when `body` has been run in part, or in full."""
    return before.possibly(Bindings.of(body).bound).unsure(deleted_names(body))
