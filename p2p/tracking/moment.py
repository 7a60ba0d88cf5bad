"""How far the steps of a run are at this moment: a small file beside the journal, which has no place for that.

The journal keeps what has happened, for ever, and is read from its beginning. Half a second later, nobody wants to know
how far a loop was. So the file is replaced each time, is not waited for by the disk, and is gone when nothing moves.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from p2p.errors import StoreError
from p2p.files import write_atomic

NAME: Final = "progress.json"
FORMAT: Final = 1
KIND: Final = "step_progress"


def _unchanged(data: Any) -> Any:
    return data


class Moments:
    """Tells how far the steps at work are.

    Args:
        directory: the run's, where whoever watches from another process finds it; None where nobody does.
        mask: takes secrets out of what is told.
        listen: told too, as of an event.
    """

    def __init__(
        self, directory: Path | None = None, *, mask: Callable[[Any], Any] = _unchanged,
        listen: Callable[..., None] | None = None,
    ) -> None:  # fmt: skip
        self._directory = directory
        self._mask = mask
        self._listen = listen
        self._now: dict[str, Mapping[str, Any]] = {}
        self._turn = threading.RLock()  # several steps at once; and a bar may be ended by the garbage collection

    def moved(self, execution: str, **data: Any) -> None:
        """The step of that id has come so far."""
        told = self._mask(data)
        with self._turn:
            self._now[execution] = told
            self._write()
        if self._listen is not None:
            self._listen(KIND, id=execution, **told)

    def gone(self, execution: str) -> None:
        """It is at work no more."""
        with self._turn:
            if self._now.pop(execution, None) is not None:
                self._write()

    def _write(self) -> None:
        if self._directory is None or not self._directory.is_dir():
            return
        steps = [{"id": execution, **data} for execution, data in self._now.items()]
        with contextlib.suppress(OSError, StoreError):  # a full disk is told of by what has to be kept
            if steps:
                told = json.dumps({"format": FORMAT, "at": time.time_ns(), "steps": steps}, default=str)
                write_atomic(self._directory / NAME, told, sync=False, mode=0o600)
            else:
                clear(self._directory)


def clear(directory: Path) -> None:
    """Nothing moves in the run of that directory any more."""
    with contextlib.suppress(OSError):
        (directory / NAME).unlink(missing_ok=True)


class Look:
    """Looks at how far the steps of a run are: each call gives, as events, those that have moved since the last."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME
        self._seen: tuple[int, int] = (0, 0)
        self._told: dict[str, Any] = {}

    def read(self) -> Iterator[dict[str, Any]]:
        """An event for each step that has moved."""
        for step in self._steps():
            if isinstance(step, dict) and "step" in step and self._told.get(step.get("id", "")) != step:
                self._told[step.get("id", "")] = step
                yield {"kind": KIND, **step}

    def _steps(self) -> list[Any]:
        try:
            found = self._path.stat()
            if (found.st_mtime_ns, found.st_ino) == self._seen:
                return []
            self._seen = (found.st_mtime_ns, found.st_ino)
            steps = json.loads(self._path.read_bytes())["steps"]
        except (OSError, ValueError, KeyError, TypeError):  # not there, as most of the time, or of another format
            return []
        return steps if isinstance(steps, list) else []
