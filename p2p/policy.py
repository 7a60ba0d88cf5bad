"""What a step may do when it fails or takes long: one frozen object, its defaults written once.

The waits are two lines of arithmetic here and not tenacity's: its random waits draw from Python's global generator,
whose state is the step's own (a seeded step would give another result for having been tried twice).
"""

from __future__ import annotations

import builtins
import math
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import PurePath
from typing import Any, cast

from p2p.errors import StepTimeout
from p2p.model import UNSET

_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
Kinds = str | type[Exception] | Sequence[str | type[Exception]]
Paths = str | PurePath | Sequence[str | PurePath]
_MOST_DOUBLINGS = 64  # more would pass any `max_delay`, and then a float


@dataclass(frozen=True, slots=True)
class Named:
    """A fallback that is given by its name, as a mark gives it: the value or function that the name stands for."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How often a step is tried, how long it may take, and what stands in for it when it fails.

    Attributes:
        retries: further attempts after the first one fails; 0 or more.
        backoff: seconds before the second attempt; doubled for each further one.
        jitter: how much of a wait is random, 0 to 1, so that many runs do not come back at the same moment. A wait is
            shortened by it, never made longer.
        max_delay: no wait is longer than so many seconds, unless `backoff` is.
        retry_on: the failures that are tried again, and that `fallback` stands in for: exception classes, or their
            names (`ConnectionError`, `requests.Timeout`), subclasses included. A StepTimeout is always one of them.
            Any other failure is raised at once.
        give_up: seconds for all attempts and waits together; then the running attempt is stopped and no other begins.
        timeout: seconds that one attempt may take; None for no limit.
        fallback: stands in for the result when the last attempt has failed: a value, of which the step gives a copy, or
            a function. A function is given those of the step's inputs that have the names of its parameters; if it
            needs others, all of them in order.
        cache: whether the stored result of an equal step may be used instead of running it.
        files: paths of files that the step reads, besides its inputs.
    """

    retries: int = 0
    backoff: float = 1.0
    jitter: float = 0.25
    max_delay: float = 300.0
    retry_on: Kinds = ("Exception",)
    give_up: float | None = None
    timeout: float | None = None
    fallback: Any = field(default=UNSET, hash=False)
    cache: bool = True
    files: Paths = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "retry_on", _names_of(self.retry_on))
        object.__setattr__(self, "files", _paths(self.files))
        if not self.retries >= 0:
            raise ValueError(f"retries must be 0 or more, got {self.retries}")
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"jitter must be between 0 and 1, got {self.jitter}")
        for name in ("backoff", "max_delay"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be 0 s or more, got {getattr(self, name)}")
        for name in ("timeout", "give_up"):
            seconds = getattr(self, name)
            if seconds is not None and not 0 < seconds < math.inf:
                raise ValueError(f"{name} must be more than 0 s, got {seconds}")

    @property
    def has_fallback(self) -> bool:
        return self.fallback is not UNSET

    @property
    def paths(self) -> tuple[str, ...]:
        """The declared files, in order."""
        return cast("tuple[str, ...]", self.files)  # as `__post_init__` has left them

    @property
    def goes_on(self) -> bool:
        """Whether anything may follow a failed attempt."""
        return self.retries > 0 or self.has_fallback

    def of_the_whole(self) -> Policy:
        """What is left of it for a mapped step as a whole, when each of its items is tried by it."""
        return Policy(cache=self.cache, files=self.files)

    def delay(self, attempt: int, chance: float = 0.0) -> float:
        """Seconds to wait after the failed attempt number `attempt` (1 is the first).

        Args:
            attempt: which one failed.
            chance: a random number from 0 to 1.
        """
        doubled = self.backoff * 2.0 ** min(attempt - 1, _MOST_DOUBLINGS)
        return min(doubled, max(self.max_delay, self.backoff)) * (1 - self.jitter * chance)

    def again_after(self, attempt: int, spent: float, chance: Callable[[], float]) -> float | None:
        """Seconds to wait after the failed attempt number `attempt`; None where no other one follows.

        Args:
            attempt: which one failed.
            spent: seconds since the first one began.
            chance: gives a random number from 0 to 1.
        """
        if attempt > self.retries:
            return None
        delay, left = self.delay(attempt, chance()), self.left(spent)
        return delay if left is None or delay < left else None

    def left(self, spent: float) -> float | None:
        """Seconds until it gives up, `spent` seconds after the first attempt began; None when it never does."""
        return None if self.give_up is None else self.give_up - spent

    def covers(self, error: Exception) -> bool:
        """Whether a failure is one of `retry_on`."""
        if isinstance(error, StepTimeout):
            return True
        return any(_is_named(kind, name) for name in _names_of(self.retry_on) for kind in type(error).__mro__)

    def within(self, namespace: Mapping[str, Any]) -> Policy:
        """The policy, its names standing for what they stand for in `namespace`, where they are there.

        Raises:
            KeyError: the fallback's name is not there.
        """
        meant = tuple(_meant(name, namespace) for name in _names_of(self.retry_on))
        fallback = namespace[self.fallback.name] if isinstance(self.fallback, Named) else self.fallback
        return replace(self, retry_on=meant, fallback=fallback)

    def changed(self) -> dict[str, Any]:
        """The fields that differ from the defaults, as keyword arguments that rebuild this policy."""
        return {name: value for name, value in self._items() if _differs(value, _DEFAULTS[name])}

    def _items(self) -> list[tuple[str, Any]]:
        return [(f.name, getattr(self, f.name)) for f in fields(self)]


def _differs(value: Any, default: Any) -> bool:
    return value is not default and (default is UNSET or bool(value != default))


def _names_of(kinds: Kinds) -> tuple[str, ...]:
    """The names of exception classes, given one or several, as classes or by name."""
    several = [kinds] if isinstance(kinds, str | type) else list(kinds)
    if not several:
        raise ValueError("retry_on must name at least one exception")
    return tuple(dict.fromkeys(_name_of(kind) for kind in several))


def _name_of(kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, Exception):
        return _full_name(kind)
    if isinstance(kind, str) and _DOTTED.fullmatch(kind) and _may_be_retried(kind):
        return kind
    raise ValueError(f"retry_on must name exceptions such as ConnectionError, got {kind!r}")


def _may_be_retried(name: str) -> bool:
    """Whether a name that Python itself knows is an exception's; KeyboardInterrupt and SystemExit are none."""
    known = getattr(builtins, name, Exception)
    return isinstance(known, type) and issubclass(known, Exception)


def _full_name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _is_named(kind: type, name: str) -> bool:
    """Whether `name` names this class: Python's own, a notebook's by its bare name, any other by module.

    A module may show a class under a shorter name than its own (`requests.Timeout`); whoever raised it has loaded it.
    """
    if _full_name(kind) == name:
        return True
    module, _, last = name.rpartition(".")
    if not module:
        return not hasattr(builtins, name) and kind.__qualname__ == name
    return getattr(sys.modules.get(module), last, None) is kind


def _meant(name: str, namespace: Mapping[str, Any]) -> Any:
    """The exception class that a name stands for in a namespace; the name where it stands for none."""
    first, *rest = name.split(".")
    found = namespace.get(first)
    for part in rest:
        found = getattr(found, part, None)
    return found if isinstance(found, type) and issubclass(found, Exception) else name


def _paths(files: Paths) -> tuple[str, ...]:
    several: list[Any] = [files] if isinstance(files, str | PurePath) else list(files)
    for path in several:
        if not isinstance(path, str | PurePath) or not str(path).strip():
            raise ValueError(f"files must be paths, got {path!r}")
    return tuple(str(path) for path in several)


_DEFAULTS: dict[str, Any] = dict(Policy()._items())
OPTIONS = tuple(_DEFAULTS)
