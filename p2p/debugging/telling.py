"""What the head of a debug notebook tells of the run, as text that no reader of markdown takes for anything else."""

from __future__ import annotations

import os
import re
import string
from collections.abc import Iterator, Mapping

from p2p.debugging.case import Case
from p2p.debugging.scene import Scene
from p2p.errors import P2PError
from p2p.history import Run
from p2p.model import ValueRef
from p2p.secrets import Masker, environment_secrets
from p2p.terminal import visible

_CONTRACT = (
    "A value broke its contract: the error says which. Contracts are not checked here, so the code may run well."
)
_MOST = 40  # lines of differences
_PUNCTUATION = str.maketrans({sign: f"&#{ord(sign)};" for sign in string.punctuation if sign not in "_.,"})
_UNDERSCORES = str.maketrans({"_": "&#95;"})


def inline(text: str) -> str:
    """A text within a line of markdown: every sign that could mean something is written as its number."""
    return " ".join(visible(text).split()).translate(_PUNCTUATION).translate(_UNDERSCORES)


def block(text: str) -> str:
    """A text as a block of its own, whose fence is longer than any in it."""
    told = visible(_masker().text(text)).strip("\n")
    longest = max((len(run) for run in re.findall("`+", told)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{told}\n{fence}"


def head(case: Case, scene: Scene, good: Run | None) -> str:
    """The head of the notebook."""
    parts = [
        f"# Debug step {inline(case.step.name)} of {inline(case.run.name)}",
        block("\n".join(_facts(case))),
        *(["**Parameters**", block("\n".join(_parameters(case.run)))] if case.run.params else []),
        *_since(case, good),
        *(f"*{inline(note)}*" for note in (*_contract(case), *scene.notes)),
        f"Run all cells: the inputs come from the store, and no other step runs. Mend the cell tagged `p2p-debug`; "
        f"once it works, `p2p pull` with this file takes it home to {_home(scene.home)}.",
    ]
    return "\n\n".join(parts)


def _contract(case: Case) -> list[str]:
    """What to say where a value broke its contract: the code alone may run well here."""
    return [_CONTRACT] if case.step.error.startswith("ContractBroken:") else []


def _home(home: Mapping[str, object]) -> str:
    if home["kind"] == "module":
        return f"the notebook that {inline(str(home['pipeline']))} version {home['version']} was made from"
    return inline(str(home["path"] if home["kind"] == "script" else home["notebook"]))


def _facts(case: Case) -> Iterator[str]:
    run = case.run
    yield f"run      {run.id}, {case.kind}, {run.status}"
    yield f"step     {case.step.name}, {case.step.state.value}, attempts: {case.step.attempts}"
    yield f"began    {run.began:%Y-%m-%d %H:%M:%S} UTC"
    if case.step.error:
        yield f"error    {case.step.error}"
    elif run.summary.error:
        yield f"the run  {run.summary.error}"


def _parameters(run: Run) -> Iterator[str]:
    yield from (f"{name} = {value!r}" for name, value in run.params.items())


def _since(case: Case, good: Run | None) -> list[str]:
    if good is None:
        return ["**There is no good run to compare it with.**"]
    try:
        lines = [*_inputs(case, good), *_differences(case, good)]
    except P2PError as problem:  # the journal of the good run was pruned
        return ["**It cannot be compared with the last good run.**", block(str(problem))]
    more = [f"... and {len(lines) - _MOST} more: run.compare(other)"] if len(lines) > _MOST else []
    told = "\n".join([*lines[:_MOST], *more]) or "nothing that was told"
    return [f"**What differs from the last good run, {inline(good.id[:8])}**", block(told)]


def _inputs(case: Case, good: Run) -> Iterator[str]:
    """What of the step's own inputs is not the same."""
    if case.step.name not in good:
        yield f"step {case.step.name}: not in the good run"
        return
    before = good[case.step.name].record.inputs
    for name in dict.fromkeys([*before, *case.step.inputs]):
        was, now = before.get(name), case.step.inputs.get(name)
        if was is None or now is None or was.digest != now.digest or was.digest is None:
            yield f"input {name}: {_value(was)} -> {_value(now)}"


def _differences(case: Case, good: Run) -> Iterator[str]:
    for found in good.compare(case.run).differences:
        if found.what in ("parameter", "code", "package"):
            yield f"{found.what} {found.name}: {found.before or '-'} -> {found.after or '-'}"


def _value(ref: ValueRef | None) -> str:
    if ref is None:
        return "-"
    if ref.inline is not None:
        return ref.inline[:200]
    shape = " x ".join(f"{n:,}" for n in ref.shape)
    return f"{ref.type.removeprefix('builtins.')} {shape} {(ref.digest or 'not stored')[:12]}"


def _masker() -> Masker:
    return Masker(environment_secrets(os.environ))
