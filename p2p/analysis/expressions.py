"""Names in expressions: reads, stores, comprehensions, lambdas, conditions and calls."""

# ruff: noqa: N802, N815 - `ast.NodeVisitor` names its methods after the classes of nodes

from __future__ import annotations

import ast
from collections.abc import Sequence

from p2p.analysis.dynamic import dynamic_attribute, dynamic_call, query_names
from p2p.analysis.flow import DEAD, Flow, join
from p2p.analysis.mutation import items_of, mutated_by, roots, same_object
from p2p.analysis.record import Recorder
from p2p.analysis.scopes import Bindings, Comprehension, Frame, Read, argument_names


class Expressions(Recorder):
    """Walks expressions in the order in which Python evaluates them."""

    _store_kind = "value"

    def store(self, target: ast.expr, kind: str) -> None:
        """Walk an assignment target whose names are bound as `kind`."""
        before, self._store_kind = self._store_kind, kind
        self.visit(target)
        self._store_kind = before

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self.bind(node.id, self._store_kind)
            return
        self.read(node.id, node)
        if isinstance(node.ctx, ast.Del):
            self.unbind(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        what = dynamic_attribute(node)
        if what:
            self.dynamic.setdefault((node.lineno, what))
        self.visit_Subscript(node)

    def visit_Subscript(self, node: ast.Subscript | ast.Attribute) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.mutate(roots(node))
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        self._note_dynamic(node)
        self.mutate(mutated_by(node))
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and self.frame.owner(node.func.id).kind == "class" and not self.late:
            self.call_now(self.frame.late)  # a class body that calls one of its own functions
        for number, (text_name, text) in enumerate(query_names(node)):
            self.read(text_name, text, shift=number)

    def _note_dynamic(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name) and not self.is_builtin(node.func.id):
            return
        what = dynamic_call(node, at_module_level=not self.late)
        if what:
            self.dynamic.setdefault((node.lineno, what))

    def visit_Await(self, node: ast.Await) -> None:
        self.has_await = self.has_await or not self.late
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self.bind_in(self.frame.binder(), node.target.id, "loop")
        self.alias((node.target, name) for name in same_object(node.value))

    def condition(self, test: ast.expr) -> tuple[Flow, Flow]:
        """Walk a condition; what is bound where it holds, and where it does not."""
        if isinstance(test, ast.Constant):
            return (self.flow, DEAD) if test.value else (DEAD, self.flow)
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            holds, fails = self.condition(test.operand)
            return fails, holds
        if isinstance(test, ast.BoolOp):
            return self._short_circuit(test.values, stops_when_true=isinstance(test.op, ast.Or))
        self.visit(test)
        return self.flow, self.flow

    def _short_circuit(self, values: Sequence[ast.expr], *, stops_when_true: bool) -> tuple[Flow, Flow]:
        stopped = DEAD
        for value in values:
            holds, fails = self.condition(value)
            stops, goes_on = (holds, fails) if stops_when_true else (fails, holds)
            stopped = join(stopped, stops)
            self.flow = goes_on
        return (stopped, self.flow) if stops_when_true else (self.flow, stopped)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self.flow = join(*self.condition(node))

    def visit_IfExp(self, node: ast.IfExp) -> None:
        holds, fails = self.condition(node.test)
        self.flow = holds
        self.visit(node.body)
        holds, self.flow = self.flow, fails
        self.visit(node.orelse)
        self.flow = join(holds, self.flow)

    def visit_Compare(self, node: ast.Compare) -> None:
        self.visit(node.left)
        self.visit(node.comparators[0])
        first = self.flow
        for comparator in node.comparators[1:]:  # `a < b < c` leaves out c when a >= b
            self.visit(comparator)
        self.flow = join(first, self.flow)

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp) -> None:
        self._comprehension(node, [node.elt])

    visit_SetComp = visit_ListComp

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._comprehension(node, [node.key, node.value])

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        awaited = self.has_await  # a generator awaits when it is consumed, not where it is written
        self._comprehension(node, [node.elt])
        self.has_await = awaited

    def _comprehension(self, node: Comprehension, elements: Sequence[ast.expr]) -> None:
        first = node.generators[0]
        self.visit(first.iter)  # in the scope around the comprehension
        before = self.flow
        targets = Bindings.of(generator.target for generator in node.generators).locals
        with self.inside(Frame("comprehension", self.frame, targets)):
            for generator in node.generators:
                self._generator(generator, is_first=generator is first)
            for element in elements:
                self.visit(element)
        self.flow = join(before, self.flow)

    def _generator(self, generator: ast.comprehension, *, is_first: bool) -> None:
        if not is_first:
            self.visit(generator.iter)
        self.has_await = self.has_await or (bool(generator.is_async) and not self.late)
        self.store(generator.target, "loop")
        self.loop_alias(generator.target, generator.iter)
        for test in generator.ifs:
            self.flow, _ = self.condition(test)

    def loop_alias(self, target: ast.expr, iterable: ast.expr) -> None:
        """Note that a loop's names may stand for parts of what it goes through."""
        stored = [n for n in ast.walk(target) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
        self.alias((name, other) for name in stored for other in items_of(iterable))

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """A lambda inside an expression may be called at once; inside a class body, when the class is used."""
        reads = self.lambda_reads(node)
        if self.frame.kind == "class":
            self.frame.late.extend(reads)
        else:
            self.call_now(reads)

    def lambda_reads(self, node: ast.Lambda) -> list[Read]:
        """Walk a lambda; what its body reads when it is called."""
        self.defaults(node.args)
        frame = Frame("function", self.frame, frozenset(argument_names(node.args)) | Bindings.of([node.body]).locals)
        return self.reads_of(frame, lambda: self.visit(node.body))

    def defaults(self, arguments: ast.arguments) -> None:
        """Walk the default values of arguments, which are evaluated where the function is defined."""
        for default in [*arguments.defaults, *arguments.kw_defaults]:
            if default is not None:
                self.visit(default)
