"""How far a command is, told to the notebook's cell that has started it (`%p2p ...`): a line of JSON each time.

Where no cell has, there is nobody to tell, and a command shows its progress itself, on stderr.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import time
from collections.abc import Sequence
from typing import Any, Final

BOARD: Final = "P2P_BOARD"  # the descriptor to write to
_APART: Final = 0.4  # seconds
_LINES: Final = 12


class Board:
    """Tells a cell, not more often than can be seen.

    Args:
        descriptor: a pipe's, which nobody has to read.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._due = float("-inf")

    def show(
        self, head: str, *, done: float = 0, total: float = 0, lines: Sequence[str] = (), last: bool = False
    ) -> None:
        """Show how far it is; what comes too soon is left out.

        Args:
            head: a line that says it.
            done: how many are done.
            total: how many there are; 0 where nobody knows.
            lines: what stands below.
            last: this is how it has ended, which is always shown.
        """
        now = time.monotonic()
        if now < self._due and not last:
            return
        self._due = now + _APART
        told: dict[str, Any] = {"head": head, "done": done, "total": total, "lines": [*lines][-_LINES:], "last": last}
        with contextlib.suppress(OSError):  # the cell was interrupted, and reads no more
            os.write(self._descriptor, (json.dumps(told) + "\n").encode())


def board() -> Board | None:
    """The board of the cell that has started this process; None where none has. The processes below it have none."""
    told = os.environ.pop(BOARD, "")
    if not told.isdecimal():
        return None
    with contextlib.suppress(OSError):
        if stat.S_ISFIFO(os.fstat(int(told)).st_mode):  # else the variable has come from far above
            os.set_inheritable(int(told), False)
            return Board(int(told))
    return None
