"""Which values the runs of a project and its cache refer to, read from journals and cache entries by their shape."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from p2p.errors import StoreError
from p2p.store import Ledger
from p2p.tracking.journal import NAME

_DIGEST = re.compile(rb"[0-9a-f]{64}")
_END = b'"run_finished"'


@dataclass(frozen=True)
class RunReferences:
    """What one run refers to.

    Attributes:
        key: the name of its directory; keys sort by time.
        name, kind: of the notebook or pipeline, as the journal's first event has them; empty where it has none.
        open: it has not ended.
        digests: every digest that its journal names, of values and of other things.
    """

    key: str
    name: str
    kind: str
    open: bool
    digests: frozenset[str]


@dataclass(frozen=True)
class CacheEntry:
    """What one cache entry refers to; `run` is the key of the run that made it."""

    key: str
    run: str
    digests: frozenset[str]


def run_references(runs: Path) -> list[RunReferences]:
    """The references of all runs, the newest first.

    A digest is taken from wherever it stands, also from a line that a crash has cut: rather one too many than one less.

    Raises:
        StoreError: a journal cannot be read, so nobody can say what it refers to.
    """
    journals = sorted(runs.glob(f"*/{NAME}"), reverse=True) if runs.is_dir() else []
    return [_references(path) for path in journals]


def cache_entries(cache: Path) -> list[CacheEntry]:
    """The entries of the cache; one that cannot be understood refers to nothing."""
    return [_entry(key, text) for key, text in Ledger(cache).entries()]


def kept_runs(runs: Collection[RunReferences], newest: int) -> set[str]:
    """The keys of the runs that are open, and of the newest ones of each name and kind."""
    kept: set[str] = set()
    seen: dict[tuple[str, str], int] = {}
    for run in sorted(runs, key=lambda run: run.key, reverse=True):
        place = seen[run.name, run.kind] = seen.get((run.name, run.kind), 0) + 1
        if run.open or place <= newest:
            kept.add(run.key)
    return kept


def _references(journal: Path) -> RunReferences:
    digests: set[str] = set()
    opened: dict[str, Any] = {}
    ended = False
    try:
        with journal.open("rb") as file:
            for line in file:
                digests.update(found.decode() for found in _DIGEST.findall(line))
                event = _event(line) if not opened or _END in line else {}
                opened = opened or event
                ended = ended or event.get("kind") == "run_finished"
    except OSError as error:
        raise StoreError(
            f"The journal {journal} cannot be read: {error.strerror}. Which values its run needs is not known.",
            cure="Mend its permissions, or move the run's directory away if you do not need the run.",
            fields={"place": str(journal)},
        ) from error
    name, kind = (
        str(opened.get(key, "")) if opened.get("kind") == "run_opened" else "" for key in ("name", "run_kind")
    )
    return RunReferences(journal.parent.name, name, kind, not ended, frozenset(digests))


def _event(line: bytes) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


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
