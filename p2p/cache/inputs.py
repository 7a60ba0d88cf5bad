"""The memory of a run that uses no earlier results: it keeps what its steps took in, and recalls nothing."""

from __future__ import annotations

from p2p.cache.memory import stored
from p2p.execution import NoMemory, Work
from p2p.model import ValueRef
from p2p.store import DiskStore


class KeptInputs(NoMemory):
    """Keeps the inputs of each step as they were before it, so that the step can be looked at and opened later.

    Args:
        values: the value store.
        work: the step; none for the run.
    """

    def __init__(self, values: DiskStore, work: Work | None = None) -> None:
        super().__init__(work)
        self._values = values

    def of(self, work: Work) -> KeptInputs:
        return KeptInputs(self._values, work)

    def references(self) -> dict[str, ValueRef]:
        assert self._work is not None
        known, inputs = self._work.known, self._work.inputs
        return {name: known.get(name) or stored(value, self._values) for name, value in inputs.items()}
