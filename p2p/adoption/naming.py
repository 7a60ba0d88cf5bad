"""Names for steps: from the heading above a cell, else from what it does and what it gives."""

from __future__ import annotations

import ast
import itertools
import keyword
import re
import unicodedata
from collections.abc import Collection, Sequence

from p2p.adoption.roles import Look

_LONGEST = 40
_FILLERS = frozenset(
    {*("the", "a", "an", "of", "and", "to", "in", "for", "with", "our", "your", "its", "this", "that", "let", "us")}
)
_VERBS = (
    (re.compile(r"^(read_|load|fetch|open)"), "load"),
    (re.compile(r"^(fit|fit_transform|train|partial_fit)$"), "fit"),
    (re.compile(r"^(predict|predict_proba|forecast)$"), "predict"),
    (re.compile(r"^(score|cross_val_score|classification_report|\w+_score|mean_\w+_error)$"), "score"),
    (re.compile(r"^(train_test_split)$"), "split"),
    (re.compile(r"^(merge|join|concat)$"), "join"),
    (re.compile(r"^(groupby|agg|pivot_table|resample)$"), "summarize"),
    (re.compile(r"^(dropna|fillna|drop_duplicates|astype|rename|replace)$"), "clean"),
)


def step_names(steps: Sequence[Look], taken: Collection[str]) -> list[str]:
    """A name for each step, none twice and none that the notebook itself uses."""
    theirs = {name.casefold() for name in taken}
    ours: set[str] = set()
    headings = [_slug(look.cell.heading) for look in steps]
    names = []
    for look, heading in zip(steps, headings, strict=True):
        alone = headings.count(heading) == 1
        name = _free(heading if heading and alone else _from_work(look, heading), theirs, ours)
        ours.add(name)
        names.append(name)
    return names


def _from_work(look: Look, heading: str) -> str:
    columns = [_column(statement.node) for statement in look.statements]
    if columns and all(columns):
        return f"add_{columns[0]}"
    given = [name for name in look.gives if not name.startswith("_")]
    what = _slug(given[-1]) if given else ""
    verb = _verb(look)
    if verb:
        return f"{verb}_{what}" if what else verb
    return f"make_{what}" if what else heading or f"cell_{look.cell.number}"


def _column(node: ast.stmt) -> str:
    """The column that `frame["column"] = ...` sets; empty for any other statement."""
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    key = target.slice if isinstance(target, ast.Subscript) else None
    return _slug(key.value) if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""


def _verb(look: Look) -> str:
    """What the last telling call of the cell does."""
    called = [_called(part) for s in look.statements for part in ast.walk(s.node) if isinstance(part, ast.Call)]
    for pattern, verb in _VERBS:
        if any(pattern.match(name) for name in called):
            return verb
    return ""


def _called(call: ast.Call) -> str:
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def _slug(text: str) -> str:
    """A short Python name made of a text's own words; empty where it has none."""
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    words = [word for word in re.findall(r"[a-z0-9]+", plain) if word not in _FILLERS]
    while words and words[0].isdigit():
        words = words[1:]
    if words and words[0][0].isdigit():
        words = ["step", *words]  # `2d_vectors` is no name in Python
    name = ""
    for word in words:
        if len(name) + len(word) + 1 > _LONGEST:
            break
        name = f"{name}_{word}" if name else word
    return name[:_LONGEST]


def _free(name: str, theirs: Collection[str], ours: Collection[str]) -> str:
    """The name, changed where the notebook, Python or another step has it."""
    if name in theirs or keyword.issoftkeyword(name):
        name = f"step_{name}"
    numbered = (name if number == 1 else f"{name}_{number}" for number in itertools.count(1))
    return next(free for free in numbered if free not in theirs and free not in ours)
