"""Function steps in a cell's text: where they are defined, and where and how they are called."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from p2p.analysis.scopes import FunctionNode
from p2p.analysis.transform import parse_cell, split_lines, to_python
from p2p.policy import OPTIONS, Named


@dataclass(frozen=True)
class StepFunction:
    """A function that is decorated with `@step`.

    Attributes:
        name: the function's name.
        parameters: its parameters in order, without `*args` and `**kwargs`.
        optional: those of `parameters` that have a default value.
        has_star: whether it takes `*args` or `**kwargs`, whose names no wiring can give.
        policy_source: the options of the decorator that can be told from its text: literals, the names of exceptions,
            and a fallback that is given by name, as `Named`.
        unclear: its other keywords; `**` for unpacked ones.
        returns: the names of its last `return`, when it gives plain names; None otherwise.
        is_async: whether it is `async def`.
        lineno, end_lineno: its lines, decorators included.
        source: its text without the step decorator.
    """

    name: str
    parameters: tuple[str, ...]
    optional: tuple[str, ...] = ()
    has_star: bool = False
    policy_source: Mapping[str, Any] = field(default_factory=dict)
    unclear: tuple[str, ...] = ()
    returns: tuple[str, ...] | None = None
    is_async: bool = False
    lineno: int = 0
    end_lineno: int = 0
    source: str = ""


@dataclass(frozen=True)
class StepCall:
    """One call of a step function.

    Attributes:
        function: the function's name.
        arguments: (keyword or None, source text) of each; `*a` and `**k` keep their stars, with no keyword.
        argument_names: the name where the argument is a plain name, None where it is any other expression.
        targets: the names that the results are assigned to; empty for a bare call.
        lineno, end_lineno: the lines of the call's statement; of the call itself when it is not simple.
        simple: whether it can be wired by names: a statement at the top, plain names in and out.
        why: what keeps it from being simple, such as "inside a for loop"; empty when it is.
        nested_in: the outermost construct around it, such as "for loop" or "function 'f'"; empty at the top.
        awaited: whether the call is awaited.
        mapped: whether it is `f.map(partitions, ...)`; the first argument is then the list of what is mapped over.
    """

    function: str
    arguments: tuple[tuple[str | None, str], ...] = ()
    argument_names: tuple[str | None, ...] = ()
    targets: tuple[str, ...] = ()
    lineno: int = 0
    end_lineno: int = 0
    simple: bool = True
    why: str = ""
    nested_in: str = ""
    awaited: bool = False
    mapped: bool = False


def step_functions(source: str) -> tuple[StepFunction, ...]:
    """The functions at the top of a cell that `@step`, `@step(...)` or `@p2p.step(...)` decorates."""
    lines = split_lines(to_python(source))
    functions = [n for n in parse_cell(source).body if isinstance(n, FunctionNode)]
    found = ((node, _step_decorator(node)) for node in functions)
    return tuple(_step_function(node, decorator, lines) for node, decorator in found if decorator is not None)


def _step_decorator(node: FunctionNode) -> ast.expr | None:
    return next((decorator for decorator in node.decorator_list if _is_step(decorator)), None)


def _is_step(decorator: ast.expr) -> bool:
    name = decorator.func if isinstance(decorator, ast.Call) else decorator
    if isinstance(name, ast.Attribute):
        return name.attr == "step" and isinstance(name.value, ast.Name) and name.value.id == "p2p"
    return isinstance(name, ast.Name) and name.id == "step"


def _step_function(node: FunctionNode, decorator: ast.expr, lines: list[str]) -> StepFunction:
    arguments = node.args
    positional = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
    keyword_only = [a.arg for a in arguments.kwonlyargs]
    optional = positional[len(positional) - len(arguments.defaults) :]
    optional += [n for n, default in zip(keyword_only, arguments.kw_defaults, strict=True) if default is not None]
    policy, unclear = _policy_source(decorator)
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    return StepFunction(
        name=node.name,
        parameters=(*positional, *keyword_only),
        optional=tuple(optional),
        has_star=arguments.vararg is not None or arguments.kwarg is not None,
        policy_source=policy,
        unclear=unclear,
        returns=_returned_names(node),
        is_async=isinstance(node, ast.AsyncFunctionDef),
        lineno=first,
        end_lineno=node.end_lineno or node.lineno,
        source=_without(decorator, node, first, lines),
    )


def _policy_source(decorator: ast.expr) -> tuple[dict[str, Any], tuple[str, ...]]:
    policy: dict[str, Any] = {}
    unclear: list[str] = []
    for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
        try:
            value = _option(keyword)
        except ValueError:
            unclear.append(keyword.arg or "**")
        else:
            policy[keyword.arg or ""] = value
    return policy, tuple(unclear)


def _option(keyword: ast.keyword) -> Any:
    """The value of one of the decorator's options; ValueError where the text does not tell it."""
    if keyword.arg not in OPTIONS:
        raise ValueError(keyword.arg)
    if keyword.arg == "retry_on":
        several = keyword.value.elts if isinstance(keyword.value, ast.Tuple | ast.List) else [keyword.value]
        return tuple(_exception(node) for node in several)
    if keyword.arg == "fallback" and isinstance(keyword.value, ast.Name):
        return Named(keyword.value.id)
    return ast.literal_eval(keyword.value)


def _exception(node: ast.expr) -> str:
    """The name of an exception class: `OSError`, `requests.Timeout`, or either as a string."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_exception(node.value)}.{node.attr}"
    value = ast.literal_eval(node)
    if not isinstance(value, str):
        raise ValueError(ast.unparse(node))
    return value


def _without(decorator: ast.expr, node: FunctionNode, first: int, lines: list[str]) -> str:
    dropped = range(decorator.lineno, (decorator.end_lineno or decorator.lineno) + 1)
    kept = [lines[n - 1] for n in range(first, (node.end_lineno or first) + 1) if n not in dropped]
    return "\n".join(kept) + "\n"


def _returned_names(node: FunctionNode) -> tuple[str, ...] | None:
    returns = [n for n in _own_nodes(node.body) if isinstance(n, ast.Return)]
    last = max(returns, key=lambda r: r.lineno, default=None)
    if last is None or last.value is None or isinstance(last.value, ast.List):
        return None
    return _plain_names(last.value)


def _plain_names(value: ast.expr) -> tuple[str, ...] | None:
    """The names in `a` or `a, b`; None for any other expression, and for `a,`, which is not what `a` is."""
    if isinstance(value, ast.Name):
        return (value.id,)
    parts = value.elts if isinstance(value, ast.Tuple | ast.List) else []
    names = tuple(part.id for part in parts if isinstance(part, ast.Name))
    return names if len(names) == len(parts) > 1 else None


def _own_nodes(body: Collection[ast.AST]) -> Iterator[ast.AST]:
    """Every node of a function's body but those of functions and classes within."""
    for node in body:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            yield node
            yield from _own_nodes(list(ast.iter_child_nodes(node)))


def step_calls(source: str, known: Collection[str]) -> tuple[StepCall, ...]:
    """Every call of the functions named in `known`, in the order of the source; those not at the top are not simple."""
    if not known:
        return ()
    tree = parse_cell(source)
    python = to_python(source)
    calls = [call for statement in tree.body for call in _calls_in(statement, frozenset(known), python)]
    return tuple(calls)


def _calls_in(statement: ast.stmt, known: frozenset[str], python: str) -> Iterator[StepCall]:
    value = statement.value if isinstance(statement, (ast.Expr, ast.Assign, ast.AnnAssign)) else None
    call = value.value if isinstance(value, ast.Await) else value
    for node, around, awaited in _found(statement, known, (), awaited=False):
        if node is call:
            yield _statement_call(statement, node, python, awaited=awaited)
        else:
            yield _nested_call(node, around, python, awaited=awaited)


def _statement_call(statement: ast.stmt, call: ast.Call, python: str, *, awaited: bool) -> StepCall:
    targets, why = _targets(statement)
    described = _described(call, python)
    why = why or _argument_problem(described)
    return StepCall(
        **described,
        targets=targets,
        lineno=statement.lineno,
        end_lineno=statement.end_lineno or statement.lineno,
        simple=not why,
        why=why,
        awaited=awaited,
    )


def _nested_call(call: ast.Call, around: tuple[str, ...], python: str, *, awaited: bool) -> StepCall:
    where = around[0] if around else ""
    why = f"inside {_article(where)}{where}" if where else "inside a bigger expression"
    return StepCall(
        **_described(call, python),
        lineno=call.lineno,
        end_lineno=call.end_lineno or call.lineno,
        simple=False,
        why=why,
        nested_in=where,
        awaited=awaited,
    )


def _described(call: ast.Call, python: str) -> dict[str, Any]:
    given: list[tuple[str | None, ast.expr, str]] = [(None, argument, "") for argument in call.args]
    given += [(keyword.arg, keyword.value, "" if keyword.arg else "**") for keyword in call.keywords]
    given.sort(key=lambda item: (item[1].lineno, item[1].col_offset))
    return {
        "function": _callee(call.func),
        "mapped": isinstance(call.func, ast.Attribute),
        "arguments": tuple((keyword, stars + _text(value, python)) for keyword, value, stars in given),
        "argument_names": tuple(_plain_name(value) if not stars else None for _, value, stars in given),
    }


def _callee(called: ast.expr) -> str:
    """The function's name in `f(...)` and `f.map(...)`; empty for any other call."""
    if isinstance(called, ast.Attribute) and called.attr == "map":
        called = called.value
    return called.id if isinstance(called, ast.Name) else ""


def _text(node: ast.expr, python: str) -> str:
    return ast.get_source_segment(python, node) or ast.unparse(node)


def _plain_name(node: ast.expr) -> str | None:
    return node.id if isinstance(node, ast.Name) else None


def _argument_problem(described: Mapping[str, Any]) -> str:
    for (_, text), name in zip(described["arguments"], described["argument_names"], strict=True):
        if name is None:
            return f"its argument `{text}` is not a plain name"
    return ""


def _targets(statement: ast.stmt) -> tuple[tuple[str, ...], str]:
    """The names that a statement assigns to, and what is wrong with them, if anything."""
    if isinstance(statement, ast.Expr):
        return (), ""
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    names = _plain_names(targets[0]) if isinstance(targets[0], ast.expr) else None
    if len(targets) > 1:
        return (), "its result is assigned to more than one target"
    if names is None:
        return (), "its result is not assigned to plain names"
    return names, ""


_CONSTRUCTS: dict[type[ast.AST], str] = {
    ast.For: "for loop",
    ast.AsyncFor: "for loop",
    ast.While: "while loop",
    ast.If: "if",
    ast.With: "with block",
    ast.AsyncWith: "with block",
    ast.Try: "try block",
    ast.TryStar: "try block",
    ast.Match: "match",
    ast.Lambda: "lambda",
    ast.ListComp: "comprehension",
    ast.SetComp: "comprehension",
    ast.DictComp: "comprehension",
    ast.GeneratorExp: "comprehension",
    ast.IfExp: "conditional expression",
}


def _construct(node: ast.AST) -> str:
    if isinstance(node, FunctionNode):
        return f"function '{node.name}'"
    if isinstance(node, ast.ClassDef):
        return f"class '{node.name}'"
    return _CONSTRUCTS.get(type(node), "")


def _article(construct: str) -> str:
    if construct.startswith(("function", "class")):
        return ""
    return "an " if construct[0] in "aeiou" else "a "


def _found(
    node: ast.AST, known: frozenset[str], around: tuple[str, ...], *, awaited: bool
) -> Iterator[tuple[ast.Call, tuple[str, ...], bool]]:
    """Every call of a known function within a node, what is around it (outermost first), whether it is awaited."""
    if isinstance(node, ast.Call) and _callee(node.func) in known:
        yield node, around, awaited
    construct = _construct(node)
    inner = (*around, construct) if construct else around
    for child in ast.iter_child_nodes(node):
        yield from _found(child, known, inner, awaited=isinstance(node, ast.Await))
