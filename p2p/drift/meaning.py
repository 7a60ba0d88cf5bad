"""What a function does, so written that formatting, comments, annotations and the names of its locals do not show.

Names that something else may know stay: arguments that a call may give by keyword, classes, `@name` in a text (as
`DataFrame.query` takes it), and all names of a function that asks for them (`locals`, `eval`).
"""

# ruff: noqa: N815 - `ast.NodeTransformer` names its methods after the classes of nodes

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from blake3 import blake3

from p2p.analysis import digest_source
from p2p.analysis.scopes import Bindings, Comprehension, FunctionNode, argument_names, imported_name
from p2p.export.units import is_docstring

_ASKS = {"locals", "vars", "eval", "exec", "dir"}
_QUERIED = re.compile(r"@([^\W\d]\w*)")


def meaning(node: ast.stmt, imports: Mapping[str, str], arguments: Mapping[str, str] | None = None) -> str:
    """A digest of what a function or another unit of a module does; its own name does not count.

    Args:
        node: the unit.
        imports: by the name it binds at the module's top, the statement that imports it.
        arguments: other names for the function's arguments, where nothing gives them by keyword.
    """
    plain = _bare(node)
    known = {name: _origin(text) for name, text in imports.items()}
    renamer = _Renamer(_kept(plain), known)
    if isinstance(plain, FunctionNode):
        plain.name = "_"
        renamer.function(plain, arguments or {})
    else:
        renamer.visit(plain)
    return digest_source(ast.unparse(ast.fix_missing_locations(plain)))


def _bare(node: ast.stmt) -> ast.stmt:
    """A copy without docstrings, and without annotations of functions."""
    plain = copy.deepcopy(node)
    for inner in ast.walk(plain):
        if isinstance(inner, FunctionNode):
            inner.body = [*inner.body[is_docstring(inner.body[0]) :]] or [ast.Pass()]
            inner.returns = None
        elif isinstance(inner, ast.arg):
            inner.annotation = None
    return plain


def _origin(text: str) -> str:
    """A name for what an import gives, whatever the module calls it."""
    whole = text if " as " in text or "." not in text or text.startswith("from") else f"{text} (its top)"
    return f"imported_{blake3(re.sub(r' as [^ ]+$', '', whole).encode()).hexdigest(8)}"


def _kept(node: ast.AST) -> set[str] | None:
    """The names that must stay; None for all."""
    walked = list(ast.walk(node))
    if any(isinstance(n, ast.Name) and n.id in _ASKS for n in walked):
        return None
    texts = [n.value for n in walked if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return {name for text in texts for name in _QUERIED.findall(text)}


class _Renamer(ast.NodeTransformer):
    """Gives every local of a function a number, in the order in which they turn up."""

    def __init__(self, kept: set[str] | None, imports: Mapping[str, str]) -> None:
        self._kept = kept
        self._scopes: list[dict[str, str]] = [dict(imports)]
        self._count = 0

    def function(self, node: FunctionNode, arguments: Mapping[str, str]) -> None:
        """The function at the top, its arguments under the given names."""
        found = {name: name if self._stays(name) else arguments.get(name, name) for name in argument_names(node.args)}
        with self._scope(found, node.body):
            for argument in ast.walk(node.args):
                if isinstance(argument, ast.arg):
                    argument.arg = found[argument.arg]
            node.body = [self.visit(statement) for statement in node.body]
        if arguments and not node.args.defaults:
            node.args.args.sort(key=lambda argument: argument.arg)

    @contextmanager
    def _scope(self, names: Mapping[str, str], body: Iterable[ast.AST] = ()) -> Iterator[None]:
        """A scope with these names, and with those that its body binds, which get numbers when they turn up."""
        bound = Bindings.of(body)
        imported = {imported_name(alias) for part in body for alias in ast.walk(part) if isinstance(alias, ast.alias)}
        fixed = {name: name for name in (*bound.globals, *imported)}
        self._scopes.append({**dict.fromkeys(sorted(bound.locals), ""), **fixed, **names})
        yield
        self._scopes.pop()

    def _label(self, name: str) -> str:
        scope = next((scope for scope in reversed(self._scopes) if name in scope), None)
        if scope is None or (self._stays(name) and scope is not self._scopes[0]):
            return name
        if not scope[name]:
            self._count += 1
            scope[name] = f"local_{self._count}_"
        return scope[name]

    def _stays(self, name: str) -> bool:
        return self._kept is None or name in self._kept

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._label(node.id)
        return node

    def visit_FunctionDef(self, node: FunctionNode) -> ast.AST:
        node.name = self._label(node.name)
        node.decorator_list = [self.visit(d) for d in node.decorator_list]
        self.visit(node.args)
        with self._scope({name: name for name in argument_names(node.args)}, node.body):
            node.body = [self.visit(statement) for statement in node.body]
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        self.visit(node.args)
        with self._scope({name: name for name in argument_names(node.args)}):
            node.body = self.visit(node.body)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self._scopes[-1][node.name] = node.name
        own = {name: name for name in Bindings.of(node.body).locals}
        with self._scope(own):
            return self.generic_visit(node)

    def visit_ListComp(self, node: Comprehension) -> ast.AST:
        targets = [n for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)]
        node.generators[0].iter = self.visit(node.generators[0].iter)
        first, node.generators[0].iter = node.generators[0].iter, ast.Constant(None)
        with self._scope(dict.fromkeys((n.id for n in targets), "")):
            self.generic_visit(node)
        node.generators[0].iter = first
        return node

    visit_SetComp = visit_ListComp
    visit_DictComp = visit_ListComp
    visit_GeneratorExp = visit_ListComp

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.AST:
        node.names = [self._label(name) for name in node.names]
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        node.name = node.name and self._label(node.name)
        return self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> ast.AST:
        node.name = node.name and self._label(node.name)
        return self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> ast.AST:
        node.name = node.name and self._label(node.name)
        return node

    def visit_MatchMapping(self, node: ast.MatchMapping) -> ast.AST:
        node.rest = node.rest and self._label(node.rest)
        return self.generic_visit(node)
