"""Where a step function is called from: the names that the notebook gives to what goes in and comes out.

`model, scores = train(tidy, 0.2)` makes the step `train` with outputs `model` and `scores`; an exported pipeline
wires it by those names, so a run of the notebook must record it under them too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from p2p.analysis import StepCall, step_calls
from p2p.errors import AnalysisError


@dataclass(frozen=True)
class Site:
    """One call of a step function in a cell.

    Attributes:
        name: the step's name in its run; the function's, with a number from its second call on.
        call: the call as it is written; None when it is not a plain assignment at the top of a cell.
    """

    name: str
    call: StepCall | None


class CallSites:
    """Remembers the calls of step functions, so that running a cell again is the same step again."""

    def __init__(self) -> None:
        self._places: dict[str, list[tuple[str, int]]] = {}
        self._cell = ""
        self._calls: list[StepCall] = []
        self._counts: dict[str, int] = {}

    def enter_cell(self, cell: str, source: str, known: Collection[str]) -> None:
        """A cell begins: `cell` tells it from others, `known` are the step functions that exist."""
        self._cell = cell
        self._counts = {}
        try:
            self._calls = list(step_calls(source, known)) if known else []
        except AnalysisError:
            self._calls = []  # the cell will raise its own SyntaxError

    def next_call(self, function: str) -> Site:
        """The site of the call of `function` that is being made now."""
        ordinal = self._counts.get(function, 0)
        self._counts[function] = ordinal + 1
        places = self._places.setdefault(function, [])
        if (self._cell, ordinal) not in places:
            places.append((self._cell, ordinal))
        number = places.index((self._cell, ordinal)) + 1
        calls = [c for c in self._calls if c.function == function]
        call = calls[ordinal] if ordinal < len(calls) and all(c.simple for c in calls) else None
        return Site(function if number == 1 else f"{function}_{number}", call)


_active: list[CallSites] = []


def call_site(function: str) -> Site:
    """The site of a call that is being made now; outside a notebook just the function's name."""
    return _active[-1].next_call(function) if _active else Site(function, None)


@contextmanager
def use_call_sites(sites: CallSites) -> Iterator[None]:
    """Name calls by these sites in the block."""
    _active.append(sites)
    try:
        yield
    finally:
        _active.remove(sites)


def activate(sites: CallSites) -> None:
    """Name calls by these sites from now on (a kernel, which has one for its whole life)."""
    if sites not in _active:
        _active.append(sites)


def deactivate(sites: CallSites) -> None:
    """Name calls by these sites no longer."""
    if sites in _active:
        _active.remove(sites)
