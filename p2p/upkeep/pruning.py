"""Removing values that only old runs refer to: never one that a kept or open run needs, or that is in use right now."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from p2p.settings import Settings
from p2p.store import Ledger
from p2p.store.collecting import StoredFile, leftovers, remove, stored_files, sweep
from p2p.store.measuring import size_of
from p2p.tracking.journal import NAME
from p2p.upkeep.past import PastRuns
from p2p.upkeep.references import CacheEntry, cache_entries, kept_runs, run_references

GRACE = 3600.0  # far longer than from a value's being stored to its reference's being written down


@dataclass(frozen=True, kw_only=True)
class Keep:
    """What to keep.

    Attributes:
        runs: the values of so many runs of each name and kind, the newest; those of open runs always.
        unused_for: only values that nobody has stored or read for so many seconds go.
        limit: remove no more than it takes to have the store at so many bytes, the longest unused first; None for all.
        grace: seconds for which a value stays after it was used, whoever refers to it.
    """

    runs: int = 10
    unused_for: float = 0.0
    limit: int | None = None
    grace: float = GRACE


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """What was removed, or would be.

    Attributes:
        values: the values.
        entries: how many cache entries went with them.
        leftovers, leftover_bytes: what killed processes had left, and damaged values that had been moved aside.
        left: bytes of values that stay.
    """

    values: tuple[StoredFile, ...]
    entries: int
    leftovers: int
    leftover_bytes: int
    left: int

    @property
    def freed(self) -> int:
        """Bytes that come free."""
        return sum(file.nbytes for file in self.values) + self.leftover_bytes


def prune(settings: Settings, keep: Keep, *, dry: bool = False) -> Pruned:
    """Remove values that nothing kept refers to, and cache entries without their values; `dry` only tells.

    Raises:
        StoreError: a journal cannot be read, so what it refers to is not known; nothing was removed.
    """
    before = time.time() - keep.grace  # taken first: what is stored while we read is younger
    entries = cache_entries(settings.cache)
    kept = _kept(settings, keep.runs, entries)
    files = list(stored_files(settings.values))
    idle = min(before, time.time() - keep.unused_for)
    total = sum(file.nbytes for file in files)
    wanted = sorted((f for f in files if f.digest not in kept and f.used < idle), key=lambda file: file.used)
    if keep.limit is not None:
        wanted = list(_enough(wanted, total - keep.limit))
    if dry:
        old = [status.st_size for _, status in leftovers(settings.values) if status.st_mtime < before]
        gone, swept = wanted, (len(old), sum(old))
    else:
        gone, swept = remove(settings.values, wanted, before=idle), sweep(settings.values, before=before)
    dropped = _drop(settings.cache, entries, gone, dry=dry)
    left = total - sum(file.nbytes for file in gone)
    return Pruned(values=tuple(gone), entries=dropped, leftovers=swept[0], leftover_bytes=swept[1], left=left)


def keep_to_limit(settings: Settings) -> Pruned | None:
    """Bring a store that is over the project's limit to nine tenths of it, so that not each run has to prune.

    Gives None where it is not over the limit, or has none.
    """
    limit = settings.values_limit
    if limit is None or size_of(settings.values) <= limit:
        return None
    return prune(settings, Keep(limit=limit * 9 // 10))


def _kept(settings: Settings, newest: int, entries: Iterable[CacheEntry]) -> set[str]:
    """The digests of what must stay."""
    keys = kept_runs(PastRuns(settings).having(), newest)
    journals = (settings.runs / key / NAME for key in keys)
    return set().union(*map(run_references, journals), *(entry.digests for entry in entries if entry.run in keys))


def _enough(files: Sequence[StoredFile], excess: int) -> Iterator[StoredFile]:
    for file in files:
        if excess <= 0:
            return
        yield file
        excess -= file.nbytes


def _drop(cache: Path, entries: Iterable[CacheEntry], gone: Iterable[StoredFile], *, dry: bool) -> int:
    """Remove the cache entries that have lost a value; gives their number."""
    digests = {file.digest for file in gone}
    lost = {entry.key for entry in entries if not digests.isdisjoint(entry.digests)}
    if lost and not dry:
        Ledger(cache).drop(lost)
    return len(lost)
