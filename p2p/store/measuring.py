"""How many bytes of values a store holds, without a look at every file each time that somebody asks.

A stored file is never written to again, only replaced or removed, and that changes the time of its folder. So what a
folder was found to hold is right for as long as its time is the same, whoever has stored, removed or died since. What
was found is kept in one file of the store; a lost or damaged one costs a look at every file.
"""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Final

from p2p.errors import StoreError
from p2p.files import write_atomic
from p2p.store.collecting import folders, values_in

SIZES: Final = ".sizes"
_SETTLED: Final = 2_000_000_000  # ns, more than any disk's clock ticks: what changed later may change again in one tick


def size_of(root: Path) -> int:
    """Bytes of all values in the store at `root`."""
    known = _read(root / SIZES)
    found: dict[str, tuple[int, int]] = {}
    total = 0
    for folder in folders(root):
        try:
            changed = folder.stat().st_mtime_ns  # before the look into it
        except OSError:
            continue
        at, size = known.get(folder.name, (-1, 0))
        if at != changed:
            size = sum(file.nbytes for file in values_in(folder))
        if time.time_ns() - changed > _SETTLED:
            found[folder.name] = changed, size
        total += size
    if found != known:
        _keep(root / SIZES, found)
    return total


def _read(path: Path) -> dict[str, tuple[int, int]]:
    """By folder, its time of change and its bytes at that time; nothing where the file is not as it was written."""
    try:
        data = json.loads(path.read_bytes())
        return {str(name): (int(at), int(size)) for name, (at, size) in data.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _keep(path: Path, found: dict[str, tuple[int, int]]) -> None:
    with contextlib.suppress(StoreError):  # then the next one looks again
        write_atomic(path, json.dumps(found) + "\n", sync=False, mode=0o600)
