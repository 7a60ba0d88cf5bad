"""Runs, cache entries and values of chosen age, written as p2p writes them."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from p2p.model import ValueRef
from p2p.settings import Settings
from p2p.store import DiskStore, Ledger
from p2p.tracking.journal import Journal

HOUR = 3600.0


def run(
    settings: Settings, key: str, *refs: ValueRef, name: str = "sales", kind: str = "notebook", end: bool = True
) -> Path:
    """A run whose one step gave these values."""
    journal = Journal(settings.runs / key)
    journal.append("run_opened", name=name, run_kind=kind)
    outputs = {f"v{at}": ref.as_dict() for at, ref in enumerate(refs)}
    journal.append("step_finished", step="s", id="1", state="done", outputs=outputs)
    if end:
        journal.append("run_finished", status="FINISHED")
    journal.close()
    return journal.path


def entry(settings: Settings, key: str, run_key: str, **refs: ValueRef) -> None:
    """A cache entry, in the shape that `p2p.cache` writes."""
    kept = {"run": run_key, "code": "f" * 64, "outputs": {n: r.as_dict() for n, r in refs.items()}}
    Ledger(settings.cache).add(key, json.dumps(kept).encode())


def entries(settings: Settings) -> list[str]:
    """The keys of the cache entries."""
    return [key for key, _ in Ledger(settings.cache).entries()]


def value(settings: Settings, content: Any, *, unused: float = 48 * HOUR) -> ValueRef:
    """A stored value that nobody has used for so many seconds."""
    store = DiskStore(settings.values)
    ref = store.put(content)
    then = time.time() - unused
    os.utime(store.path(ref), (then, then))
    return ref


def stored(settings: Settings, *refs: ValueRef) -> list[bool]:
    """Which of these values are there, without using them."""
    return [DiskStore(settings.values).path(ref).exists() for ref in refs]
