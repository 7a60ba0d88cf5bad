"""That the corpus holds every construct of Python and IPython that the analysis claims to understand."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from functools import cache

import pytest

from p2p.analysis import parse_cell, split_mark
from p2p.errors import AnalysisError
from tests.corpus.reading import NOTEBOOKS, read_spec

MAGICS = {
    "line magic": r"^%\w+", "cell magic": r"^%%(?!step)\w+", "shell line": r"^!\w", "shell output": r"^\w+ = !",
    "help": r"^\??\w+(\.\w+)*\?$", "%%time": "^%%time", "%time": "^%time", "%%capture": "^%%capture",
    "%matplotlib": "^%matplotlib", "%load_ext": "^%load_ext", "%run": "^%run", "%%bash": "^%%bash",
    "%%writefile": "^%%writefile", "automagic": r"^cd ",
}  # fmt: skip
NODES: dict[str, Callable[[ast.AST], bool]] = {
    "comprehension": lambda n: isinstance(n, ast.ListComp),
    "set comprehension": lambda n: isinstance(n, ast.SetComp),
    "dict comprehension": lambda n: isinstance(n, ast.DictComp),
    "generator expression": lambda n: isinstance(n, ast.GeneratorExp),
    "comprehension in a class": lambda n: isinstance(n, ast.ClassDef) and _holds(n, ast.ListComp),
    "class": lambda n: isinstance(n, ast.ClassDef),
    "nested function": lambda n: isinstance(n, ast.FunctionDef) and any(_holds(s, ast.FunctionDef) for s in n.body),
    "walrus": lambda n: isinstance(n, ast.NamedExpr),
    "match": lambda n: isinstance(n, ast.Match),
    "except name": lambda n: isinstance(n, ast.ExceptHandler) and n.name is not None,
    "except group": lambda n: isinstance(n, ast.TryStar),
    "finally": lambda n: isinstance(n, ast.Try) and bool(n.finalbody),
    "global": lambda n: isinstance(n, ast.Global),
    "nonlocal": lambda n: isinstance(n, ast.Nonlocal),
    "del": lambda n: isinstance(n, ast.Delete),
    "decorator": lambda n: isinstance(n, ast.FunctionDef) and bool(n.decorator_list),
    "default argument": lambda n: isinstance(n, ast.arguments) and bool(n.defaults),
    "star-args": lambda n: isinstance(n, ast.arguments) and n.vararg is not None and n.kwarg is not None,
    "starred call": lambda n: isinstance(n, ast.Call) and any(isinstance(a, ast.Starred) for a in n.args),
    "starred target": lambda n: isinstance(n, ast.Assign) and _holds(n.targets[0], ast.Starred),
    "f-string": lambda n: isinstance(n, ast.JoinedStr),
    "async function": lambda n: isinstance(n, ast.AsyncFunctionDef),
    "async for": lambda n: isinstance(n, ast.AsyncFor),
    "async with": lambda n: isinstance(n, ast.AsyncWith),
    "await": lambda n: isinstance(n, ast.Await),
    "with": lambda n: isinstance(n, ast.With),
    "lambda": lambda n: isinstance(n, ast.Lambda),
    "yield": lambda n: isinstance(n, ast.Yield),
    "annotated name": lambda n: isinstance(n, ast.AnnAssign),
    "augmented assignment": lambda n: isinstance(n, ast.AugAssign),
}


def _holds(node: ast.AST, kind: type[ast.AST]) -> bool:
    return any(isinstance(inner, kind) for inner in ast.walk(node))


@cache
def sources() -> tuple[str, ...]:
    specs = [read_spec(path) for path in sorted(NOTEBOOKS.glob("*.cells"))]
    return tuple(split_mark(part.text)[1] for spec in specs for part in spec.parts if part.kind == "code")


@cache
def nodes() -> tuple[ast.AST, ...]:
    found: list[ast.AST] = []
    for source in sources():
        try:
            found += ast.walk(parse_cell(source))
        except AnalysisError:  # some notebooks hold no Python on purpose
            continue
    return tuple(found)


@pytest.mark.parametrize("pattern", MAGICS.values(), ids=list(MAGICS))
def test_the_corpus_holds_each_syntax_of_ipython(pattern: str) -> None:
    assert any(re.search(pattern, source, re.MULTILINE) for source in sources())


@pytest.mark.parametrize("holds", NODES.values(), ids=list(NODES))
def test_the_corpus_holds_each_construct_of_python(holds: Callable[[ast.AST], bool]) -> None:
    assert any(holds(node) for node in nodes())
