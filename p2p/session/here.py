"""The kernel that this process is, for whoever shows it: its notebook, how its steps stand, and what changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from p2p.outline import Outline, Ranning


class Kernel(Protocol):
    """A kernel that p2p was loaded in.

    Attributes:
        ranning: what has run in it.
    """

    ranning: Ranning

    @property
    def headless(self) -> bool:
        """Whether nobody looks at it."""

    @property
    def run_id(self) -> str:
        """MLflow's id of the open run; empty where none is open."""

    def file(self) -> Path | None:
        """The notebook's file; None where nobody tells."""

    def outline(self) -> Outline:
        """The notebook as it was saved last; where there is no file, the cells that were run."""

    def run_stale(self) -> str:
        """Run the cells that have to be run, until one fails; gives what else there is to say."""


_kernel: list[Kernel] = []
_listeners: list[Callable[[], None]] = []
_followers: list[Callable[[str], None]] = []


def enter(kernel: Kernel) -> None:
    """This process is that kernel from now on."""
    _kernel[:] = [kernel]


def leave() -> None:
    """It is none any more."""
    _kernel.clear()


def kernel() -> Kernel | None:
    """The kernel that this process is; None outside of one, or before p2p was loaded."""
    return _kernel[0] if _kernel else None


def listen(then: Callable[[], None]) -> Callable[[], None]:
    """Have `then` called when a step begins or ends, or a cell has run; gives what ends that."""
    _listeners.append(then)
    return lambda: _listeners.remove(then) if then in _listeners else None


def changed() -> None:
    """Something has run."""
    for then in [*_listeners]:
        then()


def follow(then: Callable[[str], None]) -> Callable[[], None]:
    """Have `then` called with a step's name when the step has moved on; gives what ends that."""
    _followers.append(then)
    return lambda: _followers.remove(then) if then in _followers else None


def moved(step: str) -> None:
    """A step that runs has moved on."""
    for then in [*_followers]:
        then(step)
