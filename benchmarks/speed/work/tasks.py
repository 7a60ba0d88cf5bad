"""The tasks of chains that p2p and the peers are given: the same functions for all of them."""

from __future__ import annotations

import time

NAP = 0.05
SHORT = 0.001


def increment(x: int) -> int:
    """The task that does as good as nothing."""
    return x + 1


def nap(x: int) -> int:
    """A task that takes 50 ms and no processor time."""
    time.sleep(NAP)
    return x + 1


def short(x: int) -> int:
    """A task of 1 ms."""
    time.sleep(SHORT)
    return x + 1
