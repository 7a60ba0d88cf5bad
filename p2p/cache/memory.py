"""What a run remembers of its steps: results of the run that it resumes, and of equal steps of any run.

A resumed run takes over every step of the earlier one that has the same code and the same inputs, whatever it depends
on besides: it is the same piece of work, gone on with. The cache is for other runs, so it holds results only of steps
that depend on nothing but their code and inputs, as far as the text and a look at the step at work can tell; else the
run is told why not.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from p2p.cache.agreed import agreed
from p2p.cache.earlier import Deeds, Earlier
from p2p.cache.entries import Entries
from p2p.cache.known import KnownStep
from p2p.cache.turns import Turns
from p2p.cache.watching import own_paths
from p2p.errors import StoreError
from p2p.execution import EventSink, Late, Work, generators
from p2p.model import ValueRef
from p2p.store import DiskStore, describe

log = logging.getLogger("p2p.cache")


class RunMemory:
    """The memory of one run.

    Args:
        values: the value store.
        events: the run's journal.
        directory: this run's directory.
        earlier: the run that this one resumes.
        entries: the cache; None when it is off.
        turns: lets equal steps of runs at the same time run one after the other; None where nobody waits.

    Attributes:
        own: beginnings of the paths of p2p's and MLflow's files, which steps touch without depending on them.
    """

    def __init__(
        self,
        values: DiskStore,
        events: EventSink,
        directory: Path,
        *,
        earlier: Earlier | None = None,
        entries: Entries | None = None,
        turns: Turns | None = None,
    ) -> None:
        self.values = values
        self.events = events
        self.directory = directory
        self.earlier = earlier
        self.entries = entries
        self.own = own_paths(directory)
        self.turns = turns
        self._began = False
        self._late: dict[object, Late] = {}
        self._agreed: dict[int, tuple[Any, str]] = {}  # the contracts too, so that no id is used again
        self._deeds: dict[Path, Deeds] = {}

    def begin(self) -> None:
        """Before anything of the run draws from a random generator: stand where the resumed run stood."""
        if self._began:
            return
        self._began = True
        if self.earlier is not None and self.earlier.random is not None:
            self.stand_at(self.earlier.random)
        self.events.append("random_began", random=self.values.put(generators.states()).as_dict())

    def of(self, work: Work) -> KnownStep:
        """What is known of a step that is about to run."""
        self.begin()
        return KnownStep(self, work)

    def deeds(self, directory: Path) -> Deeds:
        """What the steps of the run in this directory did besides giving values."""
        if directory not in self._deeds:
            self._deeds[directory] = Deeds(directory)
        return self._deeds[directory]

    def agreed(self, contract: Any) -> str:
        """The digest of a contract, as `agreed` has it; told once a run."""
        if id(contract) not in self._agreed:
            self._agreed[id(contract)] = contract, agreed(contract)
        return self._agreed[id(contract)][1]

    def found(self, load: Callable[[], Any]) -> Late:
        """What was found and is loaded later; noted until it is."""
        place = object()

        def noted() -> Any:
            value = load()
            del self._late[place]
            return value

        self._late[place] = Late(noted)
        return self._late[place]

    def load_late(self) -> None:
        """Load all that was found: the generators that modules bring along are there, and can be set."""
        for late in [*self._late.values()]:
            late.value()

    def stand_at(self, ref: ValueRef) -> None:
        """Set the global random generators to stored states."""
        try:
            generators.put_back(self.values.get(ref))
        except StoreError as error:
            log.warning("The random states of the earlier run cannot be used: %s", error)

    def stored(self, value: Any) -> ValueRef:
        """A reference of a value, which is stored unless it is a secret."""
        return stored(value, self.values)


def stored(value: Any, values: DiskStore) -> ValueRef:
    """A reference of a value, which is stored unless it is a secret."""
    return describe(value) if _is_secret(value) else values.put(value)


def _is_secret(value: Any) -> bool:
    return type(value).__name__ in ("SecretStr", "SecretBytes", "Secret")
