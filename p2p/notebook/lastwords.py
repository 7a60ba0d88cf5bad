"""What a kernel's process says past Jupyter: ipykernel copies there what its cells' child processes print.

The cells' own outputs have it already. So it is let go, but for the end of what a kernel said that then died: that is
shown, without secrets and control sequences.
"""

from __future__ import annotations

import os
import sys
import threading
from types import TracebackType
from typing import Final

from p2p.secrets import Masker
from p2p.terminal import visible

_KEPT: Final = 8_000  # bytes


class LastWords:
    """A pipe to give to a kernel as its stdout and stderr; read until the block ends.

    Attributes:
        end: the descriptor to write to.
    """

    def __init__(self, masker: Masker) -> None:
        self._masker = masker
        self._said = b""
        self._cut = False
        self._begin, self.end = os.pipe()
        self._thread = threading.Thread(target=self._read, name="p2p-last-words", daemon=True)
        self._thread.start()

    def __enter__(self) -> LastWords:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        from nbclient.exceptions import CellExecutionError

        os.close(self.end)
        self._thread.join(1.0)  # a process that was left alive may hold the pipe open
        if isinstance(error, Exception) and not isinstance(error, CellExecutionError):
            sys.stderr.write(self.text())

    def text(self) -> str:
        """The end of what was said; a line that was cut is left out, as a secret may have been cut with it."""
        said = self._said.partition(b"\n")[2] if self._cut else self._said
        return visible(self._masker.text(said.decode("utf-8", "replace")))

    def _read(self) -> None:
        while piece := os.read(self._begin, 65_536):
            said = self._said + piece
            self._cut = self._cut or len(said) > _KEPT
            self._said = said[-_KEPT:]
        os.close(self._begin)
