"""What turns a value that cannot be trusted into a miss: one warning, and never the value."""

from __future__ import annotations

import logging
from typing import Any

from p2p.errors import StoreError
from p2p.model import ValueRef
from p2p.store.naming import type_name
from p2p.store.values import loaded

_told: set[str] = set()


def as_described(ref: ValueRef, data: bytes) -> Any:
    """The value of checked bytes, if it is of the type that the reference says.

    Raises:
        StoreError: another codec wrote the bytes, or they do not load in this process.
    """
    value = loaded(ref, data)
    if ref.type and ref.codec != "png" and type_name(value) != ref.type:  # a figure is kept as its picture
        raise StoreError(
            f"The value {ref.digest} is of type {type_name(value)}, not {ref.type} as its reference says.",
            fields={"digest": ref.digest},
        )
    return value


def warn_once(place: str, problem: StoreError) -> None:
    """Warn that what is at `place` counts as missing; once until `forget` is told that it is sound again."""
    if place not in _told:
        _told.add(place)
        logging.getLogger("p2p.store").warning("%s It counts as missing.", problem.message)


def forget(place: str) -> None:
    """What is at `place` is sound: should it be damaged again, that is another warning."""
    _told.discard(place)
