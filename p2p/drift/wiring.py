"""What an exported `pipeline.py` and `contracts.py` say, read from their text: nothing of a version is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Wired:
    """One task of a pipeline.

    Attributes:
        name: the step's name.
        function: the function of `steps.py` that it calls.
        inputs: the names of the values that it takes, in order.
        arguments: by argument of the function, the value that it gets; empty where they are given in order.
        outputs: the names of the values that it gives.
        changes: the names of the values that it gives again.
        policy: its policy as source text; empty for the defaults.
        over: the input that it is mapped over; empty where it is not.
    """

    name: str
    function: str
    inputs: tuple[str, ...] = ()
    arguments: Mapping[str, str] | None = None
    outputs: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    policy: str = ""
    over: str = ""


def read_tasks(text: str) -> dict[str, Wired]:
    """By step, the tasks of a `pipeline.py`."""
    calls = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call) and _called(n) == "Task"]
    tasks = [_task(call) for call in sorted(calls, key=lambda call: call.lineno)]
    return {task.name: task for task in tasks}


def read_nested(text: str) -> dict[str, str]:
    """By function that is a step inside other steps, its policy as source text."""
    for call in ast.walk(ast.parse(text)):
        for keyword in call.keywords if isinstance(call, ast.Call) else ():
            if keyword.arg == "nested" and isinstance(keyword.value, ast.Dict):
                return dict(_nested(keyword.value))
    return {}


def _nested(node: ast.Dict) -> Iterator[tuple[str, str]]:
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Attribute):
            yield key.attr, ast.unparse(value)


def read_contracts(text: str) -> dict[str, str]:
    """By value, its contract as source text."""
    tree = ast.parse(text)
    parts: dict[str, ast.expr] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            parts[node.targets[0].id] = node.value
    listed = parts.get("CONTRACTS")
    found = zip(listed.keys, listed.values, strict=True) if isinstance(listed, ast.Dict) else ()
    return {str(ast.literal_eval(key)): _source(text, value, parts) for key, value in found if key}


def _source(text: str, node: ast.expr, parts: Mapping[str, ast.expr]) -> str:
    named = parts.get(node.id, node) if isinstance(node, ast.Name) else node
    return ast.get_source_segment(text, named) or ast.unparse(named)


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _task(call: ast.Call) -> Wired:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    function = getattr(call.args[0], "attr", "") if call.args else ""
    inputs = _literal(given.get("inputs"), ())
    named = inputs if isinstance(inputs, dict) else None
    return Wired(
        name=str(_literal(given.get("name"), function)),
        function=function,
        inputs=tuple(named.values() if named else inputs),
        arguments=named,
        outputs=tuple(_literal(given.get("outputs"), ())),
        changes=tuple(_literal(given.get("changes"), ())),
        policy=ast.unparse(given["policy"]) if "policy" in given else "",
        over=str(_literal(given.get("over"), "")),
    )


def _literal(node: ast.expr | None, default: Any) -> Any:
    """The value of a literal; `default` for none, and for what a hand has put there instead."""
    try:
        return default if node is None else ast.literal_eval(node)
    except ValueError:
        return default
