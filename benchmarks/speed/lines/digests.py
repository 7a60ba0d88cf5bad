"""The digest of a value: how many of its bytes a second."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.speed.bench import Bench
from benchmarks.speed.measuring import Side, worker
from benchmarks.speed.rows import GB_PER_SECOND, Bar, Row

_VALUES = {
    "320 MB frame of floats": ("floats", 320_000_000, Bar("least", 3)),
    "1,000,000 strings": ("texts", 1_000_000, Bar("least", 1)),
    "1,000,000 strings as objects": ("objects", 1_000_000, None),
}
_PEERS = {"joblib.hash": ("joblib", "joblib"), "hash_pandas_object": ("pandas", "pandas")}


def rows(bench: Bench) -> Iterator[Row]:
    for what, (kind, size, bar) in _VALUES.items():
        sides = {
            "p2p": Side(worker("digesting", "p2p", kind, size)),
            **{name: bench.peer(of, "digesting", how, kind, size) for name, (of, how) in _PEERS.items()},
        }
        found = bench.measured(sides)
        for name in _PEERS:
            yield Row(work=f"digest of {what}", unit=GB_PER_SECOND, ours=found["p2p"].figure("rate"), peer=name,
                      theirs=found[name].figure("rate"), bar=bar)  # fmt: skip
