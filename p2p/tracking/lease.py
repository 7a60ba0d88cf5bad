"""The lease of a run: the file that says which process owns it, and that somebody still has to end or send it.

One file a run, `mlruns/p2p/open/<key>.json`, from the moment the run opens until MLflow knows its end. So whoever wants
to know what is open, dead or unsent lists one folder, however many runs there have been.

Replacing a lease puts another file in its place. The former owner notices at its next event, because its file is gone,
and cannot record anything more: that is what keeps a process that was taken for dead from committing.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from p2p.errors import StoreError
from p2p.files import make_folder, write_atomic
from p2p.tracking.owner import Life, Owner, life_of, this_process

BEAT = 5.0  # seconds between two heartbeats


class RunReplaced(StoreError):
    """Another process has ended this run, and this one may no longer record anything in it."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"Run {key} no longer belongs to this process: it was taken for dead, and ended, by another one.",
            cure="Run it again, or resume it.",
            fields={"key": key},
        )


@dataclass(frozen=True, slots=True)
class Lease:
    """One lease as it lies on disk.

    Attributes:
        path: the file; its stem is the run's key.
        owner: who owns the run.
        beat: when the owner was last seen alive, seconds since the epoch.
    """

    path: Path
    owner: Owner
    beat: float

    @property
    def key(self) -> str:
        return self.path.stem

    @property
    def life(self) -> Life:
        return life_of(self.owner)


def take_lease(path: Path, owner: Owner | None = None) -> None:
    """Make `owner` (this process when not given) the owner of the run; an earlier owner can no longer commit.

    Raises:
        StoreError: the disk does not take it.
    """
    make_folder(path.parent, mode=0o700)
    write_atomic(path, json.dumps((owner or this_process()).as_dict()) + "\n", sync=False)


def held(path: Path) -> Callable[[], bool]:
    """Tells, each time it is asked, whether the lease that lies at `path` now is still there."""
    place = str(path)  # asked at each event, where a Path costs more than the look
    mine = _identity(place)
    return lambda: mine is not None and _identity(place) == mine


def _identity(place: str) -> tuple[int, int] | None:
    try:
        found = os.stat(place)  # noqa: PTH116  # see `held`
    except OSError:
        return None
    return found.st_dev, found.st_ino


def beat(path: Path) -> None:
    """Say that the owner lives; nothing where the lease is gone."""
    with contextlib.suppress(OSError):
        os.utime(path)


def release(path: Path) -> None:
    """Nothing is left to do for the run."""
    path.unlink(missing_ok=True)


def read_lease(path: Path) -> Lease | None:
    """The lease at `path`; None where there is none. One that cannot be read is a stranger's."""
    try:
        seen = path.stat().st_mtime
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    try:
        owner = Owner.from_dict(json.loads(text))
    except ValueError:
        owner = Owner("unreadable", "", "", 0, 0.0)
    return Lease(path, owner, seen)


def leases(folder: Path) -> Iterator[Lease]:
    """The leases of all runs that are open, dead or unsent, the oldest first."""
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        found = read_lease(path)
        if found is not None:
            yield found
