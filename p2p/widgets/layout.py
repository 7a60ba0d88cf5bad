"""Where the steps of a graph are drawn: in columns by how far they are from the beginning, with few crossings.

Sugiyama's method in its simplest form: each step one column to the right of the last one that it takes something from;
within the columns, a few sweeps put each step at the mean place of its neighbours (K. Sugiyama, S. Tagawa, M. Toda,
"Methods for Visual Understanding of Hierarchical System Structures", 1981).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

_SWEEPS = 4


def places(names: Sequence[str], edges: Iterable[tuple[str, str]]) -> dict[str, tuple[int, int]]:
    """By name, the column and the row of each step; both from 0.

    Args:
        names: the steps, each after those that it takes something from.
        edges: from which step to which.
    """
    before: dict[str, list[str]] = {name: [] for name in names}
    after: dict[str, list[str]] = {name: [] for name in names}
    for source, target in dict.fromkeys(edges):
        before[target].append(source)
        after[source].append(target)
    column: dict[str, int] = {}
    for name in names:
        column[name] = max((column[source] + 1 for source in before[name] if source in column), default=0)
    columns: list[list[str]] = [[] for _ in range(max(column.values(), default=-1) + 1)]
    for name in names:
        columns[column[name]].append(name)
    for _ in range(_SWEEPS):
        _sweep(columns, before)
        _sweep(columns[::-1], after)
    return {name: (at, row) for at, inside in enumerate(columns) for row, name in enumerate(inside)}


def _sweep(columns: Sequence[list[str]], neighbours: Mapping[str, Sequence[str]]) -> None:
    """Order each column by the mean row of the neighbours in those before it."""
    row = {name: float(at) for inside in columns for at, name in enumerate(inside)}
    for inside in columns:
        inside.sort(key=lambda name: _mean([row[one] for one in neighbours[name]], row[name]))
        row.update((name, float(at)) for at, name in enumerate(inside))


def _mean(rows: Sequence[float], own: float) -> float:
    return sum(rows) / len(rows) if rows else own
