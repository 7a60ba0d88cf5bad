"""Which values the runs of a project and its cache refer to, read from journals and cache entries by their shape."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from p2p.errors import StoreError
from p2p.model import RunStatus
from p2p.store import Ledger
from p2p.tracking.journal import NAME
from p2p.upkeep.past import PastRun

_DIGEST = re.compile(rb"[0-9a-f]{64}")


@dataclass(frozen=True)
class CacheEntry:
    """What one cache entry refers to; `run` is the key of the run that made it."""

    key: str
    run: str
    digests: frozenset[str]


def journals(runs: Path) -> list[Path]:
    """The journals of all runs."""
    return sorted(runs.glob(f"*/{NAME}")) if runs.is_dir() else []


def run_references(journal: Path) -> frozenset[str]:
    """Every digest that a run's journal names, of values and of other things.

    A digest is taken from wherever it stands, also from a line that a crash has cut: rather one too many than one less.

    Raises:
        StoreError: the journal cannot be read, so nobody can say what it refers to.
    """
    try:
        with journal.open("rb") as file:
            return frozenset(found.decode() for line in file for found in _DIGEST.findall(line))
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()  # no run
    except OSError as error:
        raise StoreError(
            f"The journal {journal} cannot be read: {error.strerror}. Which values its run needs is not known.",
            cure="Mend its permissions, or move the run's directory away if you do not need the run.",
            fields={"place": str(journal)},
        ) from error


def cache_entries(cache: Path) -> list[CacheEntry]:
    """The entries of the cache; one that cannot be understood refers to nothing."""
    return [_entry(key, text) for key, text in Ledger(cache).entries()]


def kept_runs(runs: Iterable[PastRun], newest: int) -> set[str]:
    """The keys of the runs that are open, and of the newest ones of each name and kind.

    Args:
        runs: the newest first.
        newest: how many of each.
    """
    kept: set[str] = set()
    seen: Counter[tuple[str, str]] = Counter()
    for run in runs:
        seen[run.name, run.run_kind] += 1
        if run.status is RunStatus.RUNNING or seen[run.name, run.run_kind] <= newest:
            kept.add(run.key)
    return kept


def _entry(key: str, text: bytes) -> CacheEntry:
    try:
        data = json.loads(text)
        return CacheEntry(key, str(data["run"]), frozenset(_digests(data)))
    except (ValueError, TypeError, KeyError, RecursionError):
        return CacheEntry(key, "", frozenset())


def _digests(data: Any) -> Iterator[str]:
    """The digest of every reference to a value inside plain data."""
    if isinstance(data, dict):
        if data.get("codec") and isinstance(data.get("digest"), str):
            yield data["digest"]
        data = list(data.values())
    for item in data if isinstance(data, list) else ():
        yield from _digests(item)
