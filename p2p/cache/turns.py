"""Equal steps that are to run at the same moment: the second waits for the first, and then finds its result.

A lock file for each key of the cache. The operating system lets go of the lock when its process ends, however that is.
Without the lock nothing is wrong, the work is only done twice; so waiting is bounded, and who need not wait does not.
"""

from __future__ import annotations

import contextlib
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from p2p.files import locked

LONGEST: Final = 3600.0  # seconds that a step waits for an equal one before it runs as well
_IN_VAIN: Final = b"not kept\n"  # in the lock file of a step whose result could not be kept: nobody should wait for it


class Turn:
    """The right to run a step, as long as it is not ended.

    Args:
        path: the lock file.
    """

    def __init__(self, path: Path, longest: float) -> None:
        self._path = path
        self._stack = ExitStack()
        if not _is_in_vain(path):
            self._stack.enter_context(locked(path, wait=longest))

    def end(self, *, kept: bool) -> None:
        """Let the next one go on; it finds the result in the cache where that was kept."""
        with contextlib.suppress(OSError):
            if kept:
                self._path.unlink(missing_ok=True)
            else:
                self._path.write_bytes(_IN_VAIN)
        self._stack.close()

    def give_up(self) -> None:
        """The step has failed, which says nothing of the next one's."""
        self._stack.close()


class Turns:
    """Lets equal steps run one after the other.

    Args:
        folder: where the lock files lie.
        longest: seconds that a step waits.
    """

    def __init__(self, folder: Path, longest: float = LONGEST) -> None:
        self.folder = folder
        self.longest = longest

    def take(self, key: str) -> Turn:
        """Wait until nobody else runs the step of this key."""
        return Turn(self.folder / key, self.longest)


def _is_in_vain(path: Path) -> bool:
    try:
        return path.read_bytes() == _IN_VAIN
    except OSError:
        return False
