"""Where values differ that have two digests, told by a process that can load both.

An instance of a class of the notebook is stored with its class, one of the module by the name of its class, so their
bytes are never the same. Reads one JSON document on stdin and answers with one on stdout.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from p2p.errors import StoreError
from p2p.model import ValueRef
from p2p.store import DiskStore, difference


def main() -> None:
    """Tell the difference of each pair of stored values; an empty text where there is none."""
    request = json.load(sys.stdin)
    answer_to = sys.stdout
    sys.stdout = sys.stderr  # what loading a value prints is not part of the answer
    sys.path[:0] = request["path"]
    store = DiskStore(Path(request["values"]))
    answer_to.write(json.dumps([_difference(store, *pair) for pair in request["pairs"]]))


def _difference(store: DiskStore, one: Any, other: Any) -> str:
    try:
        values = [store.get(ValueRef.from_dict(ref)) for ref in (one, other)]
    except StoreError as error:
        return f"the stored bytes differ, and cannot be looked at: {error}"
    return difference(*values) or ""


if __name__ == "__main__":
    main()
