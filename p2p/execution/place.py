"""Where this code runs: in which step, called by which, under which idempotency key."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from blake3 import blake3


@dataclass
class Place:
    """One execution of a step.

    Attributes:
        name: the step's.
        id: names this execution in the run's events.
        key: the same for each attempt of this step, and for this step of a run that resumes this one.
    """

    name: str = ""
    id: str = ""
    key: str = ""
    _calls: dict[str, int] = field(default_factory=dict)

    def child(self, name: str, run: str) -> Place:
        """The place of a step that is called here.

        Args:
            name: the step's.
            run: key of the first of the runs that resume each other; empty outside any.
        """
        calls = self._calls if self.name else _CALLS.setdefault(run, {})
        number = calls[name] = calls.get(name, 0) + 1
        known = self.key or run
        return Place(name, os.urandom(8).hex(), _key(known, name, number) if known else _new_key())

    def item(self, number: int) -> Place:
        """The place of one item of the mapped step that runs here: the same execution, but a key of its own."""
        return Place(self.name, self.id, _key(self.key, "item", number) if self.key else _new_key())

    def again(self) -> None:
        """Another attempt begins: what it calls has the numbers, so the keys, that the last one's calls had."""
        self._calls.clear()

    @contextmanager
    def entered(self) -> Iterator[Place]:
        """In the block, steps are called from here."""
        token = _CURRENT.set(self)
        try:
            yield self
        finally:
            _CURRENT.reset(token)


_CURRENT: ContextVar[Place | None] = ContextVar("p2p_step", default=None)
_CALLS: dict[str, dict[str, int]] = {}  # by run, which a kernel enters from many cells


def here() -> Place:
    """The place of the step that runs here; one without a name outside any."""
    return _CURRENT.get() or Place()


def current_step() -> str:
    """The name of the step that is running here; empty outside any."""
    return here().name


def idempotency_key() -> str:
    """A text that names the work of this step, for services that must do the same work only once.

    Every attempt of a step has the same key, and so has this step in a run that resumes this one. Another step, another
    run, another call of the same step function and a second execution of the same cell have other keys. Outside any
    step each call gives another key.

    Returns:
        32 hexadecimal digits: BLAKE3 of the first run's key, the names of the steps around this one and its own, and
        how many times each has been called from there.
    """
    return here().key or _new_key()


def _key(around: str, name: str, number: int) -> str:
    return blake3(f"{around}\0{name}\0{number}".encode()).hexdigest(length=16)


def _new_key() -> str:
    return uuid.uuid4().hex
