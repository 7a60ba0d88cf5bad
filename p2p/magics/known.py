"""References to values that steps have made and nothing has replaced since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from p2p.execution import Outcome
from p2p.model import ValueRef


class KnownValues:
    """Remembers which object each output name stood for, so that an input need not be described again."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[Any, ValueRef | None]] = {}

    def remember(self, outcome: Outcome) -> None:
        if outcome.changed:
            self.doubt()
        for name, value in outcome.outputs.items():
            self._values[name] = (value, outcome.refs[name])
        for name, ref in outcome.changed.items():
            if name in self._values:
                self._values[name] = (self._values[name][0], ref)

    def doubt(self) -> None:
        """Something ran that may have changed any of the values in place, under whatever name."""
        self._values = {name: (value, None) for name, (value, _ref) in self._values.items()}

    def refs(self, namespace: Mapping[str, Any]) -> dict[str, ValueRef]:
        """References of the names that still stand for the object that a step gave."""
        return {n: ref for n, (value, ref) in self._values.items() if ref and namespace.get(n) is value}

    def names(self) -> Mapping[str, Any]:
        """The names that steps have given values to."""
        return self._values
