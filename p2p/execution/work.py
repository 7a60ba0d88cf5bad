"""One step, ready to run, and what it gave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from p2p.execution.memory import Recalled
from p2p.model import ValueRef
from p2p.policy import Policy


@dataclass(frozen=True)
class Code:
    """The code of a step.

    Attributes:
        digest: equal for code that does the same with the same inputs.
        doubts: why its result may depend on more than its inputs; empty where nothing speaks for that.
    """

    digest: str
    doubts: tuple[str, ...] = ()


def _nothing() -> Mapping[str, Any]:
    return {}


def _one() -> str:
    return "one"


@dataclass(frozen=True, kw_only=True)
class Work:
    """One step, ready to run.

    Attributes:
        name: the step's name in its run.
        body: does the work; returns the outputs by name, or an awaitable of them.
        inputs: the values that it reads, by name.
        known: references of inputs whose value is known to be unchanged since it was stored.
        policy: how often it is tried, how long it may take.
        contracts: what inputs and outputs must look like, by name.
        touched: the values that a failed attempt may have changed in place, by name; the inputs where none are given.
        reset: puts back the names that a failed attempt may have changed, and takes the touched values as they were
            before it: the same objects where they could be put back in place, copies otherwise.
        fallback: gives the outputs, or an awaitable of them, when the last attempt has failed.
        coroutine: the body returns an awaitable.
        code: tells what the step's code is; None where nobody can, and then its result is not recognized again.
        others: after the body, the further names that it has given values to and that later code may read.
        form: after the body, the shape of a function's result, as `Recalled` has it.
        anew: gives the same step with the same inputs, to run when a result was found and cannot be loaded later; None
            where what is found has to be loaded at once.
        restored: takes a result that need not be made again, in place of the body.
        attributes: further facts for the trace (cell number, function).
        tells: at the end, what else the run is told about it.
    """

    name: str
    body: Callable[[], Any]
    inputs: Mapping[str, Any] = field(default_factory=dict)
    known: Mapping[str, ValueRef] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    contracts: Mapping[str, Any] = field(default_factory=dict)
    touched: Mapping[str, Any] | None = None
    reset: Callable[[Mapping[str, Any]], None] | None = None
    fallback: Callable[[], Any] | None = None
    coroutine: bool = False
    code: Callable[[], Code] | None = None
    others: Callable[[], Mapping[str, Any]] = _nothing
    form: Callable[[], str] = _one
    anew: Callable[[], Work] | None = None
    restored: Callable[[Recalled], None] | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    tells: Callable[[], Mapping[str, Any]] = _nothing


@dataclass(frozen=True)
class Outcome:
    """What a step gave: its outputs, and references to them where the run keeps values.

    Attributes:
        changed: references of inputs that the step has changed in place without giving them as outputs.
        replaced: the error of the last attempt, when the outputs are the fallback's.
    """

    outputs: Mapping[str, Any]
    refs: Mapping[str, ValueRef]
    attempts: int
    replaced: Exception | None = None
    changed: Mapping[str, ValueRef] = field(default_factory=dict)
