"""Which values a parameter may be drawn from: those that are listed, or those of its own type and bounds.

Says what may be drawn, and draws; an optimizer asks the first and draws by itself.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, Protocol

from p2p.errors import InputRefused, ParameterError
from p2p.params import ParameterSet
from p2p.params.annotation import bounds, members
from p2p.sweep.files import Row

_NUMBER: Final = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE: Final = re.compile(rf"\s*({_NUMBER})\.\.({_NUMBER})\s*")
_TRIES: Final = 20  # draws for each point that is wanted: where points are few, the same ones come again


class Space(Protocol):
    """The values that one parameter may have."""

    def draw(self, source: random.Random) -> Any:
        """One of them, at random."""
        ...


@dataclass(frozen=True)
class Choices:
    """A value among these, each as likely. Texts are converted by type; other values are plain data."""

    values: tuple[Any, ...]
    text: bool = False

    def draw(self, source: random.Random) -> Any:
        return source.choice(self.values)


@dataclass(frozen=True)
class Between:
    """A number from `low` to `high`, both included, evenly or evenly by its logarithm.

    Attributes:
        whole: whole numbers only.
        step: multiples of it only; 0 for any number.
    """

    low: float
    high: float
    whole: bool = False
    step: float = 0.0
    log: bool = False

    def draw(self, source: random.Random) -> Any:
        if self.log:
            value = min(max(math.exp(source.uniform(math.log(self.low), math.log(self.high))), self.low), self.high)
            return round(value) if self.whole else value
        if self.step:
            value = float(Fraction(str(self.step)) * source.randint(*self.multiples()))
            return int(value) if self.whole else value
        return source.randint(int(self.low), int(self.high)) if self.whole else source.uniform(self.low, self.high)

    def multiples(self) -> tuple[int, int]:
        """The first and the last multiple of the step that lie between."""
        step = Fraction(str(self.step))
        return math.ceil(Fraction(str(self.low)) / step), math.floor(Fraction(str(self.high)) / step)


Spaces = Mapping[str, Space]


def spaces_of(
    parameters: ParameterSet, listed: Mapping[str, Sequence[str]], by_log: Collection[str]
) -> dict[str, Space]:
    """What each parameter may be drawn from, by name; those that have one value only are not among them.

    Args:
        parameters: the target's.
        listed: values of the command line, by name.
        by_log: names of those that are drawn evenly by their logarithm.

    Raises:
        ParameterError: a logarithm of what is no positive number, or nothing that could be drawn.
    """
    found: dict[str, Space] = {}
    for parameter in parameters.parameters:
        given = listed.get(parameter.name)
        space = _of_type(parameter.annotation) if given is None else _of_list(given, parameter.annotation)
        if space is not None and not parameter.secret:
            found[parameter.name] = space
    problems = [problem for name in by_log if (problem := _no_log(name, found.get(name)))]
    if problems:
        raise ParameterError(problems)
    if not found:
        raise InputRefused(
            "There is nothing to draw: no parameter has several values, a type with choices, or bounds on both sides.",
            cure="Give values (-p a=1,2,3) or a range (-p a=0.1..0.9), or state bounds in the notebook.",
        )
    return {n: _by_log(space) if n in by_log and isinstance(space, Between) else space for n, space in found.items()}


def draws(spaces: Spaces, fixed: Mapping[str, str], many: int, seed: int) -> Iterator[Row]:
    """Points drawn at random, each once: `many`, or fewer where there are no more."""
    source = random.Random(seed)
    seen: set[str] = set()
    for _ in range(many * _TRIES):
        row = row_of(spaces, {name: space.draw(source) for name, space in spaces.items()}, fixed)
        if repr(row) not in seen:
            seen.add(repr(row))
            yield row
        if len(seen) == many:
            return


def row_of(spaces: Spaces, drawn: Mapping[str, Any], fixed: Mapping[str, str]) -> Row:
    """What was drawn as a point, beside what is fixed."""
    texts = {name for name, space in spaces.items() if isinstance(space, Choices) and space.text}
    return Row(
        given={name: value for name, value in drawn.items() if name not in texts},
        text={**fixed, **{name: str(value) for name, value in drawn.items() if name in texts}},
    )


def _of_list(values: Sequence[str], annotation: Any) -> Space | None:
    if len(values) > 1:
        return Choices(tuple(values), text=True)
    kind = _number(annotation)
    match = _RANGE.fullmatch(values[0])
    if kind is None or match is None:
        return None  # one value: it is fixed
    low, high = (float(text) for text in match.groups())
    if low > high or not math.isfinite(high - low) or (kind is int and not (low.is_integer() and high.is_integer())):
        numbers = "whole numbers, " if kind is int else ""
        raise ParameterError([f"{values[0].strip()} is no range: write it as LOW..HIGH, {numbers}the lower one first."])
    return Between(low, high, whole=kind is int)


def _of_type(annotation: Any) -> Space | None:
    """The values that a type allows, where they are choices or lie between bounds."""
    facts = bounds(annotation)
    if facts.get("choices"):
        return Choices(tuple(facts["choices"]))
    kinds = {kind for kind in members(annotation) if kind is not type(None)}
    if kinds == {bool}:
        return Choices((False, True))
    kind = _number(annotation)
    return None if kind is None else _within(facts, whole=kind is int)


def _number(annotation: Any) -> type | None:
    kinds = {kind for kind in members(annotation) if kind is not type(None)}
    return next(iter(kinds)) if kinds in ({int}, {float}) else None


def _within(facts: Mapping[str, Any], *, whole: bool) -> Space | None:
    ends = [facts[name] for name in ("ge", "gt", "le", "lt") if name in facts]
    if not all(type(end) in (int, float) and math.isfinite(end) for end in ends):
        return None
    low = max([*_end(facts, "ge", 0), *_end(facts, "gt", 1, whole=whole)], default=None)
    high = min([*_end(facts, "le", 0), *_end(facts, "lt", -1, whole=whole)], default=None)
    if low is None or high is None or low > high:
        return None
    if whole:
        low, high = math.ceil(low), math.floor(high)
    space = Between(low, high, whole=whole, step=facts.get("multiple_of") or 0.0)
    return None if space.step and space.multiples()[0] > space.multiples()[1] else space


def _end(facts: Mapping[str, Any], name: str, inward: int, *, whole: bool = False) -> list[float]:
    """A bound as a number that is itself allowed: one that is excluded gives its neighbour."""
    if name not in facts:
        return []
    bound = facts[name]
    if not inward:
        return [bound]
    neighbour = math.floor(bound) + 1 if inward > 0 else math.ceil(bound) - 1
    return [neighbour if whole else math.nextafter(bound, inward * math.inf)]


def _no_log(name: str, space: Space | None) -> str:
    shown = name if name.isidentifier() else "a name that is none"
    if not isinstance(space, Between):
        return f"--log {shown}: it is not drawn from a range of numbers."
    if space.step:
        return f"--log {shown}: its type allows multiples of {space.step:g} only, which are drawn evenly."
    smallest = 1e-300  # a bound that excludes 0 allows numbers that no logarithm should dwell on
    return "" if space.low >= smallest else f"--log {shown}: its range must begin above 0; write -p {shown}=0.001..1."


def _by_log(space: Between) -> Between:
    return Between(space.low, space.high, whole=space.whole, log=True)
