"""The journal of a run: one JSON object a line, appended before anything else hears of it.

Format 1. Each event has `kind`, `at` (nanoseconds since the epoch) and the fields of its kind. A line is written by
one system call on a descriptor opened for appending, so a kernel and its driver may write the same journal. It begins
with a line break too, so that what a crash or a full disk has cut short damages no other event; empty lines mean
nothing. The first `run_finished` ends the run: what comes after it was written by somebody who had lost the run, and
does not count.
"""

from __future__ import annotations

import json
import os
import re
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic_core import from_json, to_json

from p2p.errors import StoreError
from p2p.files import make_folder
from p2p.tracking.lease import RunReplaced

FORMAT = 1
NAME = "journal.jsonl"
_AS_JSON = json.JSONEncoder(default=str).encode  # `json.dumps` would make an encoder each time


def new_key() -> str:
    """A fresh name for a run's directory; names sort by time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{uuid.uuid4().hex[:8]}"


def _unchanged(data: Any) -> Any:
    return data


class Journal:
    """Appends the events of one run; made in the run's directory.

    Args:
        directory: the run's directory; made (for this user alone) when it is not there.
        held: tells whether the run is still this process's to write to; always, when not given.
        mask: takes secrets out of what is written.

    Raises:
        StoreError: the directory or the file cannot be made.
    """

    def __init__(
        self, directory: Path, *, held: Callable[[], bool] | None = None, mask: Callable[[Any], Any] = _unchanged
    ) -> None:
        make_folder(directory, mode=0o700)
        self.directory = directory
        self.path = directory / NAME
        self._held = held
        self._mask = mask
        try:
            self._descriptor: int | None = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError as error:
            raise _not_written(self.path, error.strerror or str(error)) from error

    def append(self, kind: str, **data: Any) -> None:
        """Write one event.

        Raises:
            RunReplaced: another process has ended the run.
            StoreError: the disk did not take the whole line; never a silent half of it.
        """
        if self._descriptor is None:
            raise ValueError(f"the journal {self.path} is closed")
        if self._held is not None and not self._held():
            raise RunReplaced(self.directory.name)
        payload = _line({"kind": kind, "at": time.time_ns(), **self._mask(data)})
        try:
            written = os.write(self._descriptor, payload)
        except OSError as error:
            raise _not_written(self.path, error.strerror or str(error)) from error
        if written != len(payload):
            raise _not_written(self.path, f"only {written} of {len(payload)} bytes fit")

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _not_written(path: Path, why: str) -> StoreError:
    return StoreError(
        f"An event could not be written to the journal {path}: {why}.",
        cure="Free some space or mend the permissions, then run again.",
        fields={"place": str(path)},
    )


class Tail:
    """Reads a journal as it grows: each call gives the whole lines that came since the last one.

    Attributes:
        offset: how many bytes have been read.
    """

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.path = path
        self.offset = offset

    def read(self) -> Iterator[dict[str, Any]]:
        """The new events; a line that is still being written waits for the next call."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self.offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self.offset += len(line)
                if line.strip():
                    yield _event(line)


def _line(event: dict[str, Any]) -> bytes:
    """The line of an event. Pydantic's encoder is three times as fast as Python's, which takes half characters too."""
    try:
        text = to_json(event, inf_nan_mode="constants", fallback=str)
    except ValueError:
        text = _AS_JSON(event).encode("utf-8", "backslashreplace")
    return b"\n%b\n" % text


def _event(line: bytes) -> dict[str, Any]:
    """The event of a line; one that a crash or a bad disk has damaged must not hide the others."""
    try:
        event = _parsed(line)
    except (ValueError, RecursionError):
        return {"kind": "damaged"}
    return event if isinstance(event, dict) and "kind" in event else {"kind": "damaged"}


def _parsed(line: bytes) -> Any:
    try:
        return from_json(line)
    except ValueError:  # half characters, and what lies deep
        return json.loads(line.decode("utf-8", "surrogatepass"))  # of bytes, it would first look for their encoding


def first_event(directory: Path) -> dict[str, Any]:
    """The first event of the run in `directory`; one of no kind where there is none. Thousands of runs are asked so."""
    try:
        with (directory / NAME).open("rb") as file:
            line = next((line for line in file if line.strip()), b"")
    except OSError:
        line = b""
    return _event(line) if line.endswith(b"\n") else {"kind": ""}


def events_of(directory: Path, *kinds: str) -> Iterator[dict[str, Any]]:
    """The events of these kinds in the journal of the run in `directory`. Other lines are not parsed."""
    mark = re.compile("|".join(f'"{re.escape(kind)}"' for kind in kinds).encode())
    with (directory / NAME).open("rb") as file:
        for line in file:
            if line.endswith(b"\n") and mark.search(line):
                event = _event(line)
                if event["kind"] in kinds:
                    yield event


def first_end(directory: Path) -> dict[str, Any]:
    """The event that ended the run in `directory`; one of no kind where nothing did."""
    return next(events_of(directory, "run_finished"), {"kind": ""})


def counting_events(directory: Path, *kinds: str) -> Iterator[dict[str, Any]]:
    """Of the events of these kinds, those that `read_events` gives."""
    ended = False
    for event in events_of(directory, *kinds, "run_finished"):
        if event["kind"] in kinds and (not ended or event["kind"] == "mlflow_run"):
            yield event
        ended = ended or event["kind"] == "run_finished"


def read_events(directory: Path) -> list[dict[str, Any]]:
    """The events of the run in `directory` that count: up to its end, and which MLflow run it became."""
    events: list[dict[str, Any]] = []
    ended = False
    for event in Tail(directory / NAME).read():
        if not ended or event["kind"] == "mlflow_run":
            events.append(event)
        ended = ended or event["kind"] == "run_finished"
    return events
