"""What a debug notebook is made of: a step's code as it ran, and what has to be there before it can run again."""

from __future__ import annotations

import keyword
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from blake3 import blake3


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A step's code and its surroundings.

    Attributes:
        code: of the step, as it ran.
        loads: by name, the Python expression that gets a value from the run `RUN`, before the definitions.
        definitions: imports, helpers and constants that the code uses, as Python.
        inputs: the names that the step took in, which are loaded after the definitions.
        call: what calls the function that `code` defines; empty for a cell.
        folder: where the code ran, relative to the project.
        beside: a folder, relative to the project, that the code imports from.
        package: the package that the code is a part of, for its relative imports; empty for none.
        home: what a pull has to know: where the code came from, and its digest.
        kernel: the kernel of the notebook.
        notes: what there is to say about how near this is to what ran.
    """

    code: str
    loads: Mapping[str, str] = field(default_factory=dict)
    definitions: str = ""
    inputs: tuple[str, ...] = ()
    call: str = ""
    folder: str = ""
    beside: str = ""
    package: str = ""
    home: Mapping[str, Any] = field(default_factory=dict)
    kernel: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


RUN = "RUN"  # stands for the run in the expressions of `loads`


def digest_text(text: str) -> str:
    """A digest of a text, to the last space: what a pull replaces must be what was copied."""
    return str(blake3(text.encode("utf-8", "surrogatepass")).hexdigest())


def assignable(name: str) -> bool:
    """Whether a name that was told by a run can be written as code."""
    return name.isidentifier() and not keyword.iskeyword(name)


def laid_out(statements: Sequence[str]) -> str:
    """Statements below each other, those of several lines set apart."""
    told = ""
    for before, text in pairwise(["", *(statement.strip("\n") for statement in statements)]):
        told += ("\n\n\n" if "\n" in before or "\n" in text else "\n") + text
    return told.strip("\n")


def call_text(function: str, arguments: Collection[str], targets: Collection[str], *, over: str, wait: bool) -> str:
    """A call of a function that gives its results to names; `over` has it called for each item of that input.

    Args:
        function: its name.
        arguments: each as it is written in a call.
        targets: names of what it returns.
        over: the name of an input; empty for one call.
        wait: whether it is a coroutine function.
    """
    made = f"{function}({', '.join(arguments)})"
    if over:
        item = f"{over}_item"
        passed = [a if a.rpartition("=")[2] != over else a[: len(a) - len(over)] + item for a in arguments]
        made = f"[{function}({', '.join(passed)}) for {item} in {over}]"
    elif wait:
        made = f"await {made}"
    return f"{', '.join(targets)} = {made}\n{', '.join(targets)}" if targets else made
