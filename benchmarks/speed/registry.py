"""The lines, by the name that the command line knows them by, in the order of the table."""

from __future__ import annotations

from benchmarks.speed.bench import Line
from benchmarks.speed.lines import (
    caching,
    chain,
    cold,
    datasets,
    digests,
    frame,
    mapping,
    memory,
    panel,
    past,
    points,
    sharing,
    starting,
    sweeps,
)

LINES: dict[str, Line] = {
    "sweeps": sweeps.rows,
    "cold": cold.rows,
    "datasets": datasets.rows,
    "chain": chain.rows,
    "caching": caching.rows,
    "digests": digests.rows,
    "sharing": sharing.rows,
    "starting": starting.rows,
    "mapping": mapping.rows,
    "memory": memory.rows,
    "past": past.rows,
    "points": points.rows,
    "frame": frame.rows,
    "panel": panel.rows,
}
ASKED_FOR = frozenset({"past", "points", "frame", "panel"})
"""The lines about sizes, which take minutes, gigabytes or a browser: they are measured only where they are named."""
