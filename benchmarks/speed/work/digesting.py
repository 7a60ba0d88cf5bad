"""Bytes a second of the digest of a value. `digesting p2p|joblib|pandas floats|texts|objects SIZE`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from benchmarks.speed.work.frames import floats, texts
from benchmarks.speed.work.timing import expect, report, timed


def by_p2p(value: Any) -> Any:
    """What p2p calls the value, by which it stores and recognizes it."""
    from p2p.store import identify

    return identify(value).digest


def by_joblib(value: Any) -> Any:
    import joblib

    return joblib.hash(value)


def by_pandas(value: Any) -> Any:
    """A number a row, and one of these: `hash_pandas_object` by itself gives no single digest."""
    import pandas as pd

    return int(pd.util.hash_pandas_object(value).sum())


DIGESTS: dict[str, Callable[[Any], Any]] = {"p2p": by_p2p, "joblib": by_joblib, "pandas": by_pandas}


def payload(kind: str, size: int) -> tuple[Any, int]:
    """The value, and its bytes: of numbers in memory, of texts in UTF-8."""
    if kind == "floats":
        frame = floats(size)
        return frame, int(frame.to_numpy().nbytes)
    series = texts(size, dtype=object if kind == "objects" else None)
    return series, sum(map(len, series))  # they are ASCII


def main(digest: str, kind: str, size: int) -> None:
    call = DIGESTS[digest]
    call(payload(kind, 1000)[0])  # loads what has to be loaded
    value, nbytes = payload(kind, size)
    spent, found = timed(lambda: call(value))
    expect(call(value.copy()), found)
    report(rate=nbytes / spent.wall, rate_cpu=nbytes / spent.cpu)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
