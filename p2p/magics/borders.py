"""What each cell of a headless run really did, seen at its border: the record that the text is held against.

After every cell the values that the notebook's names stand for are looked at, and the global random generators. A value
that is still the same object and another than before was changed in place, under all the names that it has. An export
whose values are not equal looks here first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from p2p.analysis import cell_names, digest_source
from p2p.cache.fingerprints import IMMUTABLE, fingerprint, size
from p2p.cache.sharing import groups, held
from p2p.errors import P2PError
from p2p.execution import EventSink, generators
from p2p.magics.cellstep import is_data

_LARGE: Final = 1_000_000  # bytes; a larger value is looked at after cells that read it, and else while there is time
_SHARE: Final = 0.15  # of the run's time so far that may go into large values that a cell does not name


class Borders:
    """Follows the cells of one run.

    Args:
        events: the run's journal.
        needed: the names that any cell of the notebook reads.
        clock: seconds.
    """

    def __init__(
        self, events: EventSink, needed: frozenset[str], clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._events = events
        self._needed = needed
        self._clock = clock
        self._began = clock()
        self._spent = 0.0
        self._known: dict[str, tuple[int, bytes | None]] = {}  # by id: an object that nobody needs must go
        self._random: dict[str, str] = {}

    def before(self) -> None:
        """A cell is about to run."""
        self._random = generators.digests()

    def after(self, source: str, namespace: Mapping[str, Any]) -> None:
        """A cell has run, whether or not it failed."""
        try:
            digest, reads = digest_source(source), {*cell_names(source).reads}
        except P2PError:
            return
        began = self._clock()
        live = {n: v for n, v in namespace.items() if n in self._needed and not isinstance(v, IMMUTABLE) and is_data(v)}
        changed = list(self._changed(live, reads))
        moved = [name for name, state in generators.digests().items() if self._random.get(name, state) != state]
        unseen = [name for name, value in live.items() if self._known.get(name, (0, None))[0] != id(value)]
        self._spent += self._clock() - began
        if changed or moved:
            self._events.append("cell_border", source=digest, changed=changed, moved=moved, same=_same(live),
                                unseen=unseen)  # fmt: skip

    def _changed(self, live: Mapping[str, Any], reads: set[str]) -> Iterator[str]:
        """The names whose values are the same objects as before, and others."""
        named = {id(live[name]) for name in reads if name in live}
        prints: dict[int, bytes | None] = {}
        for name, value in live.items():
            if id(value) not in named and self._is_too_much(value):
                continue
            if id(value) not in prints:
                prints[id(value)] = fingerprint(value)
            now = prints[id(value)]
            before, known = self._known.get(name, (0, None))
            self._known[name] = (id(value), now)
            if before == id(value) and known is not None and known != now:
                yield name
        for name in [name for name in self._known if name not in live]:
            del self._known[name]

    def _is_too_much(self, value: Any) -> bool:
        return size(value) > _LARGE and self._spent > _SHARE * (self._clock() - self._began)


def _same(live: Mapping[str, Any]) -> list[list[str]]:
    """The names whose values hold one object that can change, or show the memory of one array."""
    return [list(names) for names in groups(held(live))]
