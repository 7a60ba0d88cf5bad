"""Values that are loaded when something takes them: of a result that was found, most is taken by nobody.

Whoever asks for a value gets the value. What is not loaded yet is passed on only by the methods that say so, and the
same `Late` under two names stays one object under two names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any

from p2p.model import UNSET


class Late:
    """A stored value that is loaded when it is asked for, once.

    Args:
        load: gives the value; it may ask for others first.

    Attributes:
        met: the contracts against which this value has been held before, as the objects that they are.
    """

    def __init__(self, load: Callable[[], Any]) -> None:
        self.met: list[Any] = []
        self._load: Callable[[], Any] | None = load
        self._value: Any = UNSET

    @property
    def is_loaded(self) -> bool:
        return self._load is None

    def value(self) -> Any:
        """The value; raises whatever keeps it from being loaded."""
        if self._load is not None:
            self._value = self._load()
            self._load = None
        return self._value


class Namespace(MutableMapping[str, Any]):
    """Values by name, each loaded when it is asked for.

    Args:
        slots: by name, a value or what it will be loaded by.
    """

    def __init__(self, slots: Mapping[str, Any] | None = None) -> None:
        self._slots = dict(slots or {})

    def __getitem__(self, name: str) -> Any:
        slot = self._slots[name]
        return slot.value() if isinstance(slot, Late) else slot

    def __setitem__(self, name: str, value: Any) -> None:
        self._slots[name] = value

    def __delitem__(self, name: str) -> None:
        del self._slots[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._slots)

    def __len__(self) -> int:
        return len(self._slots)

    def slot(self, name: str) -> Any:
        """The value, or its `Late` as long as it is not loaded."""
        slot = self._slots[name]
        return slot.value() if isinstance(slot, Late) and slot.is_loaded else slot

    def only(self, names: Iterable[str]) -> Namespace:
        """These names alone, with what they stand for now; nothing is loaded."""
        return Namespace({name: self._slots[name] for name in names})

    def take(self, others: Mapping[str, Any]) -> None:
        """Let names stand for what they stand for in `others`; nothing is loaded."""
        self._slots.update(others._slots if isinstance(others, Namespace) else others)


def slot_of(values: Mapping[str, Any], name: str) -> Any:
    """What a name stands for, not loaded where it is not yet."""
    return values.slot(name) if isinstance(values, Namespace) else values[name]


def to_check(values: Mapping[str, Any], contracts: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values that are to be held against their contracts: all but those that have been, and are as they were.

    A value that is loaded may have been changed in place since.
    """
    if not contracts or not isinstance(values, Namespace):
        return values
    return values.only(name for name in values if not _is_met(values.slot(name), contracts.get(name)))


def _is_met(slot: Any, contract: Any) -> bool:
    return isinstance(slot, Late) and any(one is contract for one in slot.met)


def loaded(values: Mapping[str, Any]) -> None:
    """Load what is not loaded yet."""
    for late in [slot for name in values if isinstance(slot := slot_of(values, name), Late)]:
        late.value()
