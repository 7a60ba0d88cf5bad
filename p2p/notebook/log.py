"""What cells print, as `--log-output` streams it."""

from __future__ import annotations

from typing import IO

from p2p.secrets import Masker
from p2p.terminal import visible


class LineLog:
    """Writes whole lines to a stream, with secrets masked and control sequences shown: a piece alone hides both."""

    def __init__(self, file: IO[str], masker: Masker) -> None:
        self._file = file
        self._masker = masker
        self._rest: list[str] = []

    def write(self, text: str) -> None:
        """Write the lines that are complete by now."""
        lines, end, rest = text.replace("\r", "\n").rpartition("\n")
        if end:
            self._put("".join([*self._rest, lines, end]))
            self._rest = []
        self._rest.append(rest)

    def flush(self) -> None:
        """Write the last line, though nothing ends it."""
        self._put("".join(self._rest))
        self._rest = []

    def _put(self, text: str) -> None:
        if text:
            self._file.write(visible(self._masker.text(text)))
            self._file.flush()
