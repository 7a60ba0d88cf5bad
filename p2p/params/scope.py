"""Evaluates the annotations and defaults of a parameters cell: the imports they need run, and nothing else does."""

from __future__ import annotations

import ast
import builtins
import importlib
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any, Final

from p2p.errors import NotebookError
from p2p.params.declared import Declared, import_lines

# Names that need no import in an annotation or default, and where they come from.
READY: Final[dict[str, str]] = {
    **dict.fromkeys(("Annotated", "Any", "Literal", "Optional", "Union"), "typing"),
    **dict.fromkeys(("date", "datetime", "time", "timedelta"), "datetime"),
    **dict.fromkeys(("BaseModel", "Field", "SecretStr"), "pydantic"),
    "Decimal": "decimal",
    "Enum": "enum",
    "Path": "pathlib",
    "UUID": "uuid",
}
# A default is a value: what reads files, asks questions or runs code has no place in it.
_WITHHELD = {"open", "exec", "eval", "compile", "input", "__import__", "breakpoint", "exit", "quit", "help", "print"}
SAFE_BUILTINS: Final = {name: value for name, value in vars(builtins).items() if name not in _WITHHELD}


def names_in(text: str) -> set[str]:
    """The names that an expression uses."""
    return {node.id for node in ast.walk(ast.parse(text, mode="eval")) if isinstance(node, ast.Name)}


def unquoted(annotation: str) -> str:
    """The annotation without the quotes that make a whole one a string."""
    node = ast.parse(annotation, mode="eval").body
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            return unquoted(node.value.strip())
        except SyntaxError:
            return annotation
    return annotation


class Scope:
    """The names that imports bind; each import runs when a name it binds is first needed.

    Attributes:
        lines: the import lines that were needed, in the order of need.
    """

    def __init__(self, sources: Iterable[str]) -> None:
        self._bindings = import_lines(sources)
        self._values: dict[str, Any] = {}
        self.lines: list[str] = []

    def knows(self, name: str) -> bool:
        return name in self._bindings or name in READY or name in SAFE_BUILTINS

    def evaluate(self, text: str, known: dict[str, Any]) -> Any:
        """The value of an expression, from `known` names first, then from imports and builtins."""
        for name in sorted(names_in(text) - set(known)):
            self.need(name)
        # One dictionary: a comprehension inside `eval` sees globals only.
        # It is the author's own expression, without the builtins that could reach out.
        code = compile(text, "<parameters>", "eval", dont_inherit=True)
        return eval(code, {**self._values, **known, "__builtins__": SAFE_BUILTINS})

    def need(self, name: str) -> None:
        """Bind a name by its import, if it has one."""
        if name in self._values:
            return
        if name in self._bindings:
            self._run(name, self._bindings[name])
        elif name in READY:
            self._values[name] = getattr(importlib.import_module(READY[name]), name)
            self.lines.append(f"from {READY[name]} import {name}")

    def _run(self, name: str, lines: Sequence[str]) -> None:
        namespace: dict[str, Any] = {}
        for line in lines:
            try:
                exec(compile(line, "<imports>", "exec"), namespace)  # one import statement, taken by its syntax
            except Exception as error:
                raise NotebookError(f"`{line}` failed: {type(error).__name__}: {error}.") from error
        self._values[name] = namespace[name]
        self.lines.extend(lines)

    def type_source(self, kind: Any) -> str:
        """An expression that names a class or `Any`, from the imports at hand, or from one that is added.

        Raises:
            AttributeError: the class cannot be imported by its name, as that of a function cannot.
        """
        own = str(getattr(kind, "__name__", "Any"))  # `Any` itself has no such name before 3.11.9
        if getattr(builtins, own, None) is kind:
            return own
        for name, value in self._values.items():
            if value is kind:
                return name
            if isinstance(value, ModuleType) and getattr(value, own, None) is kind:
                return f"{name}.{own}"
        return self._import_type(kind)

    def _import_type(self, kind: Any) -> str:
        top = str(getattr(kind, "__qualname__", "Any")).partition(".")[0]
        # `Path` lives in a private module since 3.13: the public one is the one to write down.
        ready = importlib.import_module(READY.get(top, "typing"))
        module = ready.__name__ if getattr(ready, top, None) is kind else str(kind.__module__)
        found = getattr(importlib.import_module(module), top)
        alias = f"{top}_" if top in self._values or top in self._bindings else top
        self._values[alias] = found
        self.lines.append(f"from {module} import {top}" + (f" as {alias}" if alias != top else ""))
        return alias + str(getattr(kind, "__qualname__", top))[len(top) :]


class Cell:
    """The assignments of one cell: each value is worked out when it is asked for, from those above it.

    Indexes count the assignments, so that a name bound twice means what it meant on its line.
    """

    def __init__(self, items: Sequence[Declared], scope: Scope) -> None:
        self._items = items
        self._scope = scope
        self._values: dict[int, Any] = {}

    def value(self, index: int) -> Any:
        """The value of an assignment's default."""
        if index not in self._values:
            text = self._items[index].default
            if text is None:
                raise NotebookError(f"it needs '{self._items[index].name}', which has no default.")
            known = {name: self.value(at) for name, at in self._above(index, names_in(text)).items()}
            self._values[index] = self._scope.evaluate(text, known)
        return self._values[index]

    def annotation(self, index: int) -> Any:
        """The annotation as a type. Imports come first, so that `date: date | None` means the class."""
        text = unquoted(self._items[index].annotation or "Any")
        known = {name: self.value(at) for name, at in self._aliases(index, text).items()}
        return self._scope.evaluate(text, known)

    def default_source(self, index: int) -> str | None:
        """The default as written; names of assignments above are replaced by what they were given there."""
        text = self._items[index].default
        return None if text is None else self._inlined(text, self._above(index, names_in(text)))

    def annotation_source(self, index: int) -> str:
        """The annotation as written, without quotes around it, and with aliases of this cell replaced."""
        text = unquoted(self._items[index].annotation or "Any")
        return self._inlined(text, self._aliases(index, text))

    def _above(self, index: int, names: set[str]) -> dict[str, int]:
        return {item.name: at for at, item in enumerate(self._items[:index]) if item.name in names}

    def _aliases(self, index: int, text: str) -> dict[str, int]:
        return self._above(index, {name for name in names_in(text) if not self._scope.knows(name)})

    def _inlined(self, text: str, above: dict[str, int]) -> str:
        if not above:
            return text
        sources = {name: self.default_source(at) or name for name, at in above.items()}
        return ast.unparse(_Inline(sources).visit(ast.parse(text, mode="eval")))


class _Inline(ast.NodeTransformer):
    """Puts expressions in the place of names; a name that the expression itself binds is left alone."""

    def __init__(self, sources: dict[str, str]) -> None:
        self._sources = sources

    def visit_Expression(self, node: ast.Expression) -> ast.AST:
        bound = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        bound |= {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
        self._sources = {name: text for name, text in self._sources.items() if name not in bound}
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        text = self._sources.get(node.id)
        return node if text is None else ast.parse(text, mode="eval").body
