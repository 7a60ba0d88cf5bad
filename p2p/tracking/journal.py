"""The journal of a run: one JSON object a line, appended before anything else hears of it.

Format 1. Each event has `kind`, `at` (nanoseconds since the epoch) and the fields of its kind. A line is written by
one system call on a descriptor opened for appending, so a kernel and its driver may write the same journal.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FORMAT = 1
NAME = "journal.jsonl"


def new_key() -> str:
    """A fresh name for a run's directory; names sort by time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{uuid.uuid4().hex[:8]}"


class Journal:
    """Appends the events of one run; made in the run's directory.

    Args:
        directory: the run's directory; made (for this user alone) when it is not there.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.directory = directory
        self.path = directory / NAME
        self._descriptor: int | None = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def append(self, kind: str, **data: Any) -> None:
        """Write one event. A write that came short (a full disk) is an error, never a silent half line."""
        if self._descriptor is None:
            raise ValueError(f"the journal {self.path} is closed")
        line = json.dumps({"kind": kind, "at": time.time_ns(), **data}, default=str) + "\n"
        payload = line.encode("utf-8", "backslashreplace")
        written = os.write(self._descriptor, payload)
        if written != len(payload):
            raise OSError(f"only {written} of {len(payload)} bytes could be written to {self.path}")

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class Tail:
    """Reads a journal as it grows: each call gives the whole lines that came since the last one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0

    def read(self) -> Iterator[dict[str, Any]]:
        """The new events; a line that is still being written waits for the next call."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                yield _event(line)


def _event(line: bytes) -> dict[str, Any]:
    """The event of a line; one that a crash or a bad disk has damaged must not hide the others."""
    try:
        event = json.loads(line)
    except ValueError:
        return {"kind": "damaged"}
    return event if isinstance(event, dict) and "kind" in event else {"kind": "damaged"}


def read_events(directory: Path) -> list[dict[str, Any]]:
    """All whole events of the run in `directory`."""
    return list(Tail(directory / NAME).read())
