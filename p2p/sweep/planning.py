"""From what is asked to the points of a sweep: all values converted and checked before anything starts."""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from p2p.errors import InputRefused, ParameterError
from p2p.params import ParameterSet, Values
from p2p.sweep.drawing import Spaces, draws, spaces_of
from p2p.sweep.files import Row
from p2p.sweep.lists import Unclosed, values_in
from p2p.sweep.points import MOST, Plan, Point

_TOLD = 20  # problems that a message has


@dataclass(frozen=True, kw_only=True)
class Request:
    """What points are asked for.

    Attributes:
        values: texts of the command line, by parameter; each may list several values.
        rows: points of a file; each is joined with each combination of the listed values.
        sample: how many points to draw; 0 for all combinations.
        seed: of what is drawn; one is chosen when not given.
        by_log: names of the parameters that are drawn evenly by their logarithm.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    rows: Sequence[Row] = ()
    sample: int = 0
    seed: int | None = None
    by_log: Collection[str] = ()


def plan(parameters: ParameterSet, request: Request) -> Plan:
    """The checked points of a sweep.

    Raises:
        InputRefused: there are too many, or nothing to draw.
        ParameterError: names or values that are refused, all of them at once, with where they stand.
    """
    listed = listed_values(parameters, request.values)
    if request.sample:
        return _drawn(parameters, request, listed)
    rows = request.rows or [Row()]
    _check_apart(rows, listed)
    check_count(len(rows) * math.prod(len(values) for values in listed.values()))
    names = list(listed)
    joined = (
        Row(row.where, row.given, {**row.text, **dict(zip(names, combination, strict=True))})
        for row in rows
        for combination in itertools.product(*listed.values())
    )
    points, repeated = checked(parameters, joined)
    return Plan(points, "file" if request.rows else "grid", None, repeated)


def _drawn(parameters: ParameterSet, request: Request, listed: Mapping[str, Sequence[str]]) -> Plan:
    if request.rows:
        raise InputRefused("Points of a file are not drawn.", cure="Give either -f or --sample.")
    check_count(request.sample)
    seed = fresh_seed() if request.seed is None else request.seed
    spaces = spaces_of(parameters, listed, request.by_log)
    rows = draws(spaces, fixed_of(spaces, listed), request.sample, seed)
    points, repeated = checked(parameters, rows)
    return Plan(points, "sample", seed, repeated)


def fixed_of(spaces: Spaces, listed: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The listed values that are not drawn: those that are alone."""
    return {name: values[0] for name, values in listed.items() if name not in spaces}


def fresh_seed() -> int:
    """A seed that nobody has chosen."""
    return random.SystemRandom().randrange(2**32)


def listed_values(parameters: ParameterSet, values: Mapping[str, str]) -> dict[str, list[str]]:
    """The values that each text lists, by name; one of a name that is none, for the parameters to refuse."""
    types = {parameter.name: parameter.annotation for parameter in parameters.parameters}
    found: dict[str, list[str]] = {}
    problems: list[str] = []
    for name, text in values.items():
        try:
            found[name] = values_in(text, types[name]) if name in types else [text]
        except Unclosed as error:
            problems.append(f"{name}: {error}.")
    if problems:
        raise ParameterError(problems)
    return found


def check_count(count: int) -> None:
    """Refuse more points than a sweep may have."""
    if count > MOST:
        raise InputRefused(
            f"The sweep would have {count:,} points, and {MOST:,} are the most.",
            cure="Give fewer values, or let points be drawn: --sample N.",
        )


def _check_apart(rows: Sequence[Row], listed: Mapping[str, Sequence[str]]) -> None:
    both = [name for name in listed if any(name in row.text or name in row.given for row in rows)]
    if both:
        raise ParameterError([f"{name} is given with -p and in the file." for name in both])


def checked(parameters: ParameterSet, rows: Iterable[Row]) -> tuple[tuple[Point, ...], int]:
    """The rows as checked points, each once, and how many were left out because they were the same as others."""
    found: dict[str, Point] = {}
    problems: dict[str, list[str]] = {}
    number = 0
    for number, row in enumerate(rows, 1):
        try:
            values = parameters.parse(row.given, text=row.text)
        except ParameterError as error:
            for problem in error.problems:
                problems.setdefault(problem, []).append(row.where or f"point {number}")
            continue
        point = Point(len(found) + 1, row.given, row.text, values.literals(), values.secret_texts())
        found.setdefault(_identity(values), point)
    if problems:
        raise ParameterError(_told(problems, number))
    return tuple(found.values()), number - len(found)


def _identity(values: Values) -> str:
    """Equal for equal points."""
    return json.dumps([values.plain(), values.secrets(), sorted(values.secret_texts())], sort_keys=True, default=str)


def _told(problems: Mapping[str, Sequence[str]], points: int) -> list[str]:
    """A sentence for each problem, with where it stands; once, where all points have it."""
    told = [
        problem if len(places) == points else f"{_places(places)}: {problem}" for problem, places in problems.items()
    ]
    more = len(told) - _TOLD
    return [*told[:_TOLD], *([f"And {more} more problems."] if more > 0 else [])]


def _places(places: Sequence[str]) -> str:
    first = ", ".join(places[:3])
    text = first if len(places) <= 3 else f"{first} and {len(places) - 3} more"
    return text[:1].upper() + text[1:]


def shown_parameters(points: Sequence[Point]) -> dict[str, Any]:
    """The parameters of all points, for the sweep's own record: a value where it is one, else the list of them."""
    names = dict.fromkeys(name for point in points for name in point.shown)
    found: dict[str, Any] = {}
    for name in names:
        values = {json.dumps(p.shown[name], default=str): p.shown[name] for p in points if name in p.shown}
        found[name] = next(iter(values.values())) if len(values) == 1 else list(values.values())
    return found
