"""A step's function called once for each of its items: each call tried by the step's policy, by itself.

The whole is one step of the run. Items have no order: what one draws from the global random generators follows from its
number, and what one changes in the arguments that all have in common is not promised to the others. So the results are
the same wherever, and beside whatever, the items run.
"""

from __future__ import annotations

import collections.abc
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from blake3 import blake3

from p2p.errors import InputRefused, ItemFailed
from p2p.execution import bars, generators
from p2p.execution.attempts import Attempts
from p2p.execution.fallback import fallback_result
from p2p.execution.place import Place, here
from p2p.execution.rewind import Rewind
from p2p.execution.services import Services
from p2p.execution.step import drive
from p2p.execution.telling import describe_error, told_missed
from p2p.execution.work import Code, Work
from p2p.policy import Policy

_MOST_TOLD = 100  # retries of one mapped step that are told one by one; all are counted
_TELL = 1.0  # seconds between two tellings that an item with limits runs, less than whoever watches waits beyond them


@dataclass(frozen=True)
class Call:
    """A call of a function, one of whose arguments is another one each time.

    Attributes:
        function: the function.
        args, kwargs: all arguments; those that are the same each time count.
        place: position, or keyword, of the one that is not.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    place: int | str = 0

    @property
    def constants(self) -> dict[str, Any]:
        """The other arguments, by position or keyword."""
        named = {**{str(n): value for n, value in enumerate(self.args)}, **self.kwargs}
        return {name: value for name, value in named.items() if name != str(self.place)}

    def on(self, item: Any) -> Call:
        """The call with this item."""
        if isinstance(self.place, str):
            return replace(self, kwargs={**self.kwargs, self.place: item})
        return replace(self, args=(*self.args[: self.place], item, *self.args[self.place + 1 :]))

    def having(self, constants: Mapping[str, Any]) -> Call:
        """The call with these in place of its constants."""
        args = tuple(constants.get(str(n), value) for n, value in enumerate(self.args))
        return replace(self, args=args, kwargs={n: constants.get(n, value) for n, value in self.kwargs.items()})

    def __call__(self) -> Any:
        return self.function(*self.args, **self.kwargs)

    def fallback(self, policy: Policy) -> Any:
        """What stands in for the result."""
        import inspect

        bound = inspect.signature(self.function).bind(*self.args, **self.kwargs)
        return fallback_result(policy.fallback, bound.arguments)


@dataclass
class Tally:
    """What becomes of the items of one mapped step.

    Attributes:
        step: its name.
        items: how many there are.
        retries, fallbacks: how many attempts failed and were followed by another one; how many items have the fallback.
    """

    step: str
    items: int = 0
    retries: int = 0
    fallbacks: int = 0

    def add(self, other: Tally) -> None:
        """What became of these items elsewhere."""
        self.items, self.retries, self.fallbacks = other.items, other.retries, other.fallbacks

    def facts(self) -> dict[str, int]:
        """What the run is told of them at the end."""
        return {"items": self.items, "item_retries": self.retries, "item_fallbacks": self.fallbacks}

    def retried(
        self, services: Services, item: int, attempt: int, delay: float, error: BaseException, **more: Any
    ) -> None:
        """An attempt at an item failed, and another one follows after `delay` seconds."""
        self.retries += 1
        if self.retries <= _MOST_TOLD:
            services.events.append("step_retried", step=self.step, id=here().id, item=item, attempt=attempt,
                                   delay=delay, **more, **describe_error(error))  # fmt: skip

    def failed(self, item: int, error: BaseException) -> ItemFailed:
        """The error of the whole, when the last attempt at an item has raised `error`."""
        return ItemFailed(self.step, item, self.items, error)


def items_of(partitions: Any, step: str) -> list[Any]:
    """What a step is mapped over, as a list.

    Raises:
        InputRefused: it has no items, or none in an order of their own, or they are hardly what was meant.
    """
    kind = type(partitions).__name__
    unmeant = isinstance(partitions, str | bytes | Mapping | collections.abc.Set) or kind == "DataFrame"
    if unmeant or not isinstance(partitions, collections.abc.Iterable):
        raise InputRefused(
            f"Step '{step}' cannot be mapped over a {kind}.",
            cure="Give it a list: one item for each call.",
        )
    return list(partitions)


def mapped_code(code: Code) -> Code:
    """The code of a step that is mapped, which gives another result for the same inputs than one that is called."""
    return replace(code, digest=blake3(f"mapped {code.digest}".encode()).hexdigest())


def map_here(call: Call, items: Sequence[Any], policy: Policy, tally: Tally, services: Services) -> list[Any]:
    """The results of the call with each item, one after another, in this process.

    Raises:
        ItemFailed: the last attempt at one of them failed; those after it are not begun.
    """
    tally.items = len(items)
    constants = Rewind(call.constants) if policy.goes_on else None
    telling = _Telling(tally, services)
    before, branches = generators.states(), generators.Branches(generators.digests())
    moved: set[str] = set()
    results: list[Any] = []
    done = bars.counting(len(items))
    try:
        for number, item in enumerate(items):
            branches.start(number)
            results.append(_Item(call, item, number, policy, constants).result(telling))
            moved |= branches.moved()
            done(number + 1)
    finally:
        branches.end(before, moved)
        telling.over()
    return results


class _Telling:
    """What the attempts at the items of one step tell: less than those of as many steps would."""

    def __init__(self, tally: Tally, services: Services) -> None:
        self.tally = tally
        self.services = services
        self.attempts = 0
        self.place = Place()
        self._number = 0
        self._told: float | None = None

    def begin(self, number: int) -> None:
        """The attempts at this item follow."""
        self.attempts, self.place, self._number = 0, here().item(number), number

    def attempt_started(self, limits: Mapping[str, float]) -> None:
        now = self.services.monotonic()
        if self._told is None or now - self._told >= _TELL:
            self._told = now
            self._tell("attempt_started", pid=os.getpid(), **limits)

    def attempt_finished(self) -> None:
        """Another one begins at once, as a rule."""

    def retried(self, error: BaseException, delay: float, missed: Sequence[str]) -> None:
        self.over()
        self.tally.retried(self.services, self._number, self.attempts, delay, error, **told_missed(missed))

    def over(self) -> None:
        """None runs now."""
        if self._told is not None:
            self._told = None
            self._tell("attempt_finished")

    def _tell(self, kind: str, **data: Any) -> None:
        self.services.events.append(kind, step=self.tally.step, id=self.place.id, attempt=self.attempts, **data)


class _Item:
    """One item, and how it is tried."""

    def __init__(self, call: Call, item: Any, number: int, policy: Policy, constants: Rewind | None) -> None:
        self._call = call.on(item)
        self._item = item
        self._number = number
        self._policy = policy
        self._constants = constants

    def result(self, telling: _Telling) -> Any:
        def fall_back() -> Mapping[str, Any]:
            telling.tally.fallbacks += 1
            return {"": self._call.fallback(self._policy)}

        work = Work(
            name=telling.tally.step, body=lambda: {"": self._call()}, policy=self._policy, reset=self._go_back,
            touched={"item": self._item}, fallback=fall_back if self._policy.has_fallback else None,
        )  # fmt: skip
        telling.begin(self._number)
        try:
            with telling.place.entered():
                return drive(Attempts(work, telling.services, telling).outputs(None))[""]
        except (Exception, SystemExit) as error:
            raise telling.tally.failed(self._number, error) from error

    def _go_back(self, values: Mapping[str, Any]) -> None:
        constants = self._constants.back() if self._constants is not None else {}
        self._call = self._call.having(constants).on(values.get("item", self._item))
