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
from p2p.export.neighbours import stand_in
from p2p.model import ValueRef
from p2p.store import DiskStore, difference


def main() -> None:
    """Tell where each pair of stored values differs, and where beyond the tolerance; empty texts where it does not."""
    request = json.load(sys.stdin)
    answer_to = sys.stdout
    sys.stdout = sys.stderr  # what loading a value prints is not part of the answer
    sys.path[:0] = request["path"]
    stand_in(request["copies"])
    store = DiskStore(Path(request["values"]))
    answer_to.write(json.dumps([_apart(store, request["tolerance"], *pair) for pair in request["pairs"]]))


def _apart(store: DiskStore, tolerance: float, *pair: Any) -> tuple[str, str]:
    try:
        one, other = (store.get(ValueRef.from_dict(ref)) for ref in pair)
    except StoreError as error:
        text = f"the stored bytes differ, and cannot be looked at: {error}"
        return text, text
    return apart(one, other, tolerance)


def apart(one: Any, other: Any, tolerance: float) -> tuple[str, str]:
    """Where two values differ, and where they differ beyond the tolerance; empty texts where they do not."""
    exact = difference(one, other) or ""
    return exact, (difference(one, other, tolerance=tolerance) or "") if exact and tolerance else exact


if __name__ == "__main__":
    main()
