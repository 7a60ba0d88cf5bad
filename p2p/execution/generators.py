"""The states of the global random generators: Python's, NumPy's when it is loaded, PyTorch's when it is loaded.

A step that draws from one of them has its state as a hidden input and output.
"""

from __future__ import annotations

import importlib
import pickle
import random
import sys
from collections.abc import Callable, Collection, Mapping
from typing import Any

from blake3 import blake3

States = dict[str, Any]


def states() -> States:
    """The state of each generator that is loaded, by name."""
    found: States = {"random": random.getstate()}
    numpy: Any = sys.modules.get("numpy.random")
    if numpy is not None:
        found["numpy"] = numpy.get_state()
    torch: Any = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_rng_state"):
        found["torch"] = torch.get_rng_state()
    return found


def digest(of: States) -> str:
    """What tells these states from others: equal where, and only where, all that follows is drawn alike."""
    names = tuple(of)
    known, told = _digested.get(names, ({}, ""))
    if not are_the_same(of, known):  # they rarely move from one look to the next
        told = _digest(of)
        _digested[names] = (of, told)
    return told


_digested: dict[tuple[str, ...], tuple[States, str]] = {}


def _digest(of: States) -> str:
    plain = {name: state.tolist() if name == "torch" else state for name, state in of.items()}
    return str(blake3(pickle.dumps(plain, protocol=5)).hexdigest(length=16))


def are_the_same(one: States, other: States) -> bool:
    """Whether two looks at the generators found them in the same states; costs less than their digests."""
    return one.keys() == other.keys() and all(_parts(one[name]) == _parts(other[name]) for name in one)


def _parts(state: Any) -> list[Any]:
    """What a state is made of, to be compared: NumPy's and PyTorch's hold an array, which would answer item by item."""
    parts = state if isinstance(state, tuple) else (state,)
    return [part.tolist() if hasattr(part, "tolist") else part for part in parts]


def digests() -> dict[str, str]:
    """A digest of the state of each generator that is loaded, by name."""
    return {name: digest({name: state}) for name, state in states().items()}


def put_back(saved: States) -> None:
    """Set the generators that are loaded to these states; one that is not loaded will start from its own entropy."""
    if "random" in saved:
        random.setstate(saved["random"])
    numpy: Any = sys.modules.get("numpy.random")
    if "numpy" in saved and numpy is not None:
        numpy.set_state(saved["numpy"])
    torch: Any = sys.modules.get("torch")
    if "torch" in saved and torch is not None:
        torch.set_rng_state(saved["torch"])


def seed(number: int = 0) -> None:
    """Set the generators that are loaded to a known state, so that what draws from them next can be compared."""
    if "numpy" in sys.modules:
        importlib.import_module("numpy.random")
    for set_to in _seeding().values():
        set_to(number)


def _seeding() -> dict[str, Callable[[int], Any]]:
    """By the name of each generator that is loaded: what seeds it."""
    found: dict[str, Callable[[int], Any]] = {"random": random.seed}
    numpy: Any = sys.modules.get("numpy.random")
    if numpy is not None:
        found["numpy"] = numpy.seed
    torch: Any = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "manual_seed"):
        found["torch"] = torch.manual_seed
    return found


class Branches:
    """Random numbers for pieces of work that have no order: what each draws follows from its number, and from `origin`.

    So it is the same whoever does it, when, and beside what.

    Args:
        origin: a digest of each generator's state before the work, by name. One that is not among them is left alone.
    """

    def __init__(self, origin: Mapping[str, str]) -> None:
        self._origin = origin
        self._before: States = {}

    def start(self, number: int) -> None:
        """The generators stand where the piece with this number begins."""
        self._seed(f" {number}", self._origin)
        self._before = states()

    def moved(self) -> set[str]:
        """The generators that something has drawn from since `start`."""
        now = states()
        return {
            n for n, state in self._before.items() if n in self._origin and not are_the_same({n: state}, {n: now[n]})
        }

    def end(self, before: States, moved: Collection[str]) -> None:
        """All is done: those that any piece drew from go on from a new state, the others from where they stood."""
        put_back({name: state for name, state in before.items() if name not in moved})
        self._seed(" end", moved)

    def _seed(self, what: str, names: Collection[str]) -> None:
        for name, set_to in _seeding().items():
            if name in names:
                found = blake3(f"{self._origin[name]}{what}".encode()).digest(length=4)  # numpy takes no longer one
                set_to(int.from_bytes(found))
