"""What the unmarked cells of a headless run leave behind: recorded, and in a run that resumes it put back.

Unmarked cells run again when a run is resumed: imports, helpers and options have to be there. But what they drew, read
or timed would be other values now; so the names that they give to later cells become what they were, and the global
random generators stand where they stood.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Any

from p2p.analysis import CellNames, cell_names, digest_source
from p2p.cache import CellState, RunMemory
from p2p.cache.fingerprints import IMMUTABLE
from p2p.errors import P2PError, StoreError
from p2p.execution import generators
from p2p.execution.rewind import can_be_made, made_alike
from p2p.magics.cellstep import is_data
from p2p.model import ValueRef

_INJECTED = "# Parameters"


class Leftovers:
    """Follows the cells of one run.

    Args:
        memory: the run's.
        needed: the names that any cell of the notebook reads.
    """

    def __init__(self, memory: RunMemory, needed: frozenset[str]) -> None:
        self._memory = memory
        self._needed = needed
        self._number = 0
        self._drawn = ""
        self._follows = memory.earlier is not None

    def before(self) -> None:
        """A cell is about to run."""
        self._memory.begin()
        self._number += 1
        self._drawn = generators.digest(generators.states())

    def after(self, source: str, namespace: dict[str, Any], *, marked: bool) -> None:
        """A cell has come to its end, without an error."""
        if marked:
            return
        try:
            names, digest = cell_names(source), digest_source(source)
        except P2PError:
            return
        if self._follows and not source.startswith(_INJECTED):
            self._follow(digest, namespace)
        values = {name: self._memory.stored(namespace[name]) for name in self._left(names, namespace)}
        self._tell(digest, {name: ref for name, ref in values.items() if ref.codec is not None})

    def _left(self, names: CellNames, namespace: Mapping[str, Any]) -> list[str]:
        """The names that the cell gave values to, or may have changed, and that other cells read."""
        sure = {*names.writes, *names.mutates}
        maybe = [n for n in names.reads if n in namespace and not _is_large(namespace[n])]
        found = [n for n in dict.fromkeys([*names.writes, *names.mutates, *maybe]) if n in self._needed]
        return [n for n in found if n in namespace and is_data(namespace[n])
                and (n in sure or not isinstance(namespace[n], IMMUTABLE))]  # fmt: skip

    def _tell(self, digest: str, values: Mapping[str, ValueRef]) -> None:
        states = generators.states()
        drew = generators.digest(states) != self._drawn
        if values or drew:
            random = self._memory.values.put(states).as_dict() if drew else None
            self._memory.events.append(
                "cell_left", cell_id=str(self._number), source=digest, random=random,
                values={name: ref.as_dict() for name, ref in values.items()},
            )  # fmt: skip

    def _follow(self, digest: str, namespace: dict[str, Any]) -> None:
        """Put back what this cell left in the earlier run; from the first cell that is another one, nothing."""
        assert self._memory.earlier is not None
        state = self._memory.earlier.cell(str(self._number))
        if state is None:
            return
        if state.source != digest:
            self._follows = False
            return
        self._put_back(state, namespace)

    def _put_back(self, state: CellState, namespace: dict[str, Any]) -> None:
        for name, ref in state.values.items():
            if name in namespace and self._memory.stored(namespace[name]).digest != ref.digest:
                try:
                    self._make(name, self._memory.values.get(ref), namespace)
                except StoreError as error:
                    logging.getLogger("p2p.cache").warning("'%s' of the earlier run cannot be used: %s", name, error)
        if state.random is not None:
            self._memory.stand_at(state.random)

    def _make(self, name: str, value: Any, namespace: dict[str, Any]) -> None:
        """In place where that can be: other names may stand for the same object."""
        if can_be_made(namespace[name], value):
            made_alike([(namespace[name], value)])
        else:
            namespace[name] = value


def _is_large(value: Any) -> bool:
    """Whether a look at a value costs more than a cell that only shows it; changes in place are told by the text."""
    pandas: Any = sys.modules.get("pandas")
    numpy: Any = sys.modules.get("numpy")
    if pandas is not None and isinstance(value, pandas.DataFrame | pandas.Series):
        return True
    return numpy is not None and isinstance(value, numpy.ndarray) and value.nbytes > 1_000_000


def names_read(sources: list[str]) -> frozenset[str]:
    """All names that these cells read."""
    found: set[str] = set()
    for source in sources:
        try:
            found.update(cell_names(source).reads)
        except P2PError:
            continue  # the cell will raise its own SyntaxError
    return frozenset(found)
