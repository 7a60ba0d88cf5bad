"""The table of a sweep as a CSV file. A spreadsheet that opens it finds data, and nothing that it would compute.

A text that begins like a formula (`=`, `+`, `-`, `@`, a tab or a line break) and is no number gets `'` in front.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any, Final

from p2p.sweep.points import PointResult

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_MOST: Final = 200  # columns of measures


def as_csv(points: Sequence[PointResult]) -> str:
    """A row for each point: its number, status, seconds, parameters, measures, run and error."""
    parameters = list(dict.fromkeys(name for point in points for name in point.parameters))
    measures = measure_names(points)[:_MOST]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(map(harmless, [
        "point", "status", "seconds", *(f"params.{name}" for name in parameters),
        *(f"metrics.{name}" for name in measures), "run_id", "run", "failed_step", "error",
    ]))  # fmt: skip
    for point in points:
        writer.writerow(map(harmless, [
            point.number, point.status.value if point.status else "", round(point.seconds, 3) if point.status else "",
            *(point.parameters.get(name, "") for name in parameters),
            *(point.measures.get(name, "") for name in measures),
            point.run_id, point.key, point.failed_step, point.error,
        ]))  # fmt: skip
    return file.getvalue()


def measure_names(points: Sequence[PointResult]) -> list[str]:
    """The names of the numbers that any point has, in the order in which they first come."""
    return list(dict.fromkeys(name for point in points for name in point.measures))


def harmless(value: Any) -> Any:
    """A cell that is data wherever it is opened."""
    if not isinstance(value, str):
        return value if isinstance(value, int | float) else json.dumps(value)
    text = value.replace("\0", "")
    return f"'{text}" if text.startswith(_FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and not any(c.isspace() for c in text)
