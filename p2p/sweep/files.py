"""Points from a file: a CSV table whose first row has the parameters' names, or a list of mappings in YAML or JSON."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from p2p.errors import ParameterError
from p2p.params.files import SUFFIXES, mapping_in, read_plain, read_text


@dataclass(frozen=True)
class Row:
    """What one row of a file gives.

    Attributes:
        where: how the row is named in messages; empty for a point that is no row.
        given: plain values by name.
        text: texts by name, for the type to convert.
    """

    where: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)
    text: Mapping[str, str] = field(default_factory=dict)


def read_rows(path: Path) -> list[Row]:
    """The rows of a points file.

    Raises:
        ParameterError: it cannot be read, has no rows, or a row does not fit its header; all problems at once.
    """
    suffix = path.suffix.lower()
    if suffix != ".csv" and suffix not in SUFFIXES:
        raise ParameterError([f"{path}: a file of points ends in .csv, .yaml, .yml or .json."])
    rows = _table(path) if suffix == ".csv" else _mappings(path)
    if not rows:
        raise ParameterError([f"{path} has no points."])
    return rows


def _mappings(path: Path) -> list[Row]:
    data = read_plain(path)
    if not isinstance(data, list):
        raise ParameterError(
            [f"{path}: must be a list of mappings, one for each point, such as `- month: 2`."],
            cure="Parameters that are the same at all points are given with -p.",
        )
    return [Row(f"point {n} of {path.name}", mapping_in(f"{path}, point {n}", item)) for n, item in enumerate(data, 1)]


def _table(path: Path) -> list[Row]:
    lines = list(_lines(path))
    if not lines:
        return []
    (_, names), *rows = lines
    names = [name.strip() for name in names]
    problems = [*_header_problems(names), *_width_problems(names, rows)]
    if problems:
        raise ParameterError([f"{path}, {problem}" for problem in problems])
    # An empty cell gives nothing: the parameter has its default there.
    return [
        Row(f"line {line} of {path.name}", text={n: cell for n, cell in zip(names, cells, strict=True) if cell})
        for line, cells in rows
    ]


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, with the number of its last line."""
    reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    try:
        for cells in reader:
            if any(cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise ParameterError([f"{path}, line {reader.line_num}: {error}."]) from None


def _header_problems(names: Sequence[str]) -> Iterator[str]:
    if len(names) == 1 and ";" in names[0]:
        yield "line 1: the cells are parted by ';'. Save it with commas."
        return
    if "" in names:
        yield f"line 1: column {names.index('') + 1} has no name."
    yield from (f"line 1: two columns are named {name[:80]!r}." for name, n in Counter(names).items() if name and n > 1)


def _width_problems(names: Sequence[str], rows: Sequence[tuple[int, list[str]]]) -> list[str]:
    wrong = [(line, cells) for line, cells in rows if len(cells) != len(names)]
    found = [f"line {line}: {len(cells)} cells, and the header has {len(names)}." for line, cells in wrong[:20]]
    return [*found, *([f"and {len(wrong) - 20} more lines."] if len(wrong) > 20 else [])]
