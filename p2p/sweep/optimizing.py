"""Points that an optimizer asks for: Optuna's, told of each result. Its memory is the sweep's journal, not a file.

Optuna is an extra, imported when it is first needed.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from p2p.errors import InputRefused, nearest
from p2p.params import ParameterSet
from p2p.sweep.drawing import Between, Space, Spaces, draws, row_of
from p2p.sweep.planning import checked
from p2p.sweep.points import Point, PointResult

_GOAL: Final = re.compile(r"\s*(maximize|minimize)\s*:\s*(\S.*?)\s*")


@dataclass(frozen=True)
class Goal:
    """What is to become as large, or as small, as it can."""

    direction: str
    measure: str

    @classmethod
    def parse(cls, text: str) -> Goal:
        """The goal that `maximize:score` or `minimize:loss` names."""
        match = _GOAL.fullmatch(text)
        if match is None:
            raise InputRefused(
                f"--optimize {text[:80]!r} is no goal.",
                cure="Write maximize:NAME or minimize:NAME, an output or a metric.",
            )
        return cls(match[1], match[2])

    def __str__(self) -> str:
        return f"{self.direction}:{self.measure}"

    def best(self, results: Mapping[int, float]) -> int | None:
        """The number of the best of these."""
        if not results:
            return None
        return (max if self.direction == "maximize" else min)(results, key=lambda number: results[number])


class Optimized:
    """Asks for one point after the other.

    Args:
        parameters: the target's.
        spaces: what is drawn.
        fixed: texts of the parameters that are not.
        goal: see Goal.
        trials: how many points there are in all.
        seed: of the optimizer.
        done: results of the sweep that is gone on with; these trials are not made again.
        asked: what a sweep that goes on with this one must be told of its points.

    Attributes:
        best: the number of the best point so far.
    """

    def __init__(
        self, parameters: ParameterSet, spaces: Spaces, fixed: Mapping[str, str], goal: Goal, *, trials: int, seed: int,
        done: Mapping[int, PointResult], asked: Mapping[str, Any],
    ) -> None:  # fmt: skip
        self.total = trials
        self.points: list[Point] = []
        self._parameters = parameters
        self._spaces = spaces
        self._fixed = fixed
        self._goal = goal
        self._seed = seed
        self._asked = asked
        self._done = done
        self._numbers = iter([number for number in range(1, trials + 1) if number not in done])
        self._values = {n: r.measures[goal.measure] for n, r in done.items() if goal.measure in r.measures}
        self._trials: dict[int, Any] = {}
        self._optuna = _optuna()
        self._distributions = {name: _distribution(self._optuna, space) for name, space in spaces.items()}
        self._study = self._made_study()
        # Refused now, if it is to be refused at all: what is fixed does not change, and what is drawn is within bounds.
        [self.first], _ = checked(parameters, draws(spaces, fixed, 1, seed))

    @property
    def best(self) -> int | None:
        return self._goal.best(self._values)

    def next(self) -> Point | None:
        number = next(self._numbers, None)
        if number is None:
            return None
        trial = self._study.ask(self._distributions)
        [point], _ = checked(self._parameters, [row_of(self._spaces, trial.params, self._fixed)])
        point = Point(number, point.given, point.text, point.shown, point.secrets)
        self._trials[number] = trial
        self.points.append(point)
        return point

    def heard(self, point: Point, result: PointResult) -> str:
        trial = self._trials.pop(point.number)
        value = result.measures.get(self._goal.measure)
        if not result.finished or value is None:
            self._study.tell(trial, state=self._optuna.trial.TrialState.FAIL)
            return _missing(self._goal.measure, result) if result.finished else ""
        self._values[point.number] = value
        self._study.tell(trial, value)
        return ""

    def planned(self) -> dict[str, Any]:
        return {"how": "optimize", "seed": self._seed, "goal": str(self._goal), "trials": self.total,
                "asked": self._asked}  # fmt: skip

    def _made_study(self) -> Any:
        optuna = self._optuna
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        # Another beginning after each resumption: the same one would ask for the first points again.
        sampler = optuna.samplers.TPESampler(seed=(self._seed + len(self._done)) % 2**32)
        study = optuna.create_study(direction=self._goal.direction, sampler=sampler)
        for number, value in self._values.items():
            drawn = self._drawn_before(self._done[number])
            study.add_trial(optuna.trial.create_trial(
                params=drawn, distributions={name: self._distributions[name] for name in drawn}, value=value,
            ))  # fmt: skip
        return study

    def _drawn_before(self, result: PointResult) -> dict[str, Any]:
        """What of a point's parameters was drawn, as the optimizer knew it."""
        found: dict[str, Any] = {}
        for name, distribution in self._distributions.items():
            value = result.parameters.get(name)
            choices = getattr(distribution, "choices", None)
            if choices is not None and value not in choices:  # a text that the type has converted
                value = next((choice for choice in choices if self._converted(name, choice) == value), choices[0])
            found[name] = value
        return found

    def _converted(self, name: str, text: Any) -> Any:
        [point], _ = checked(self._parameters, [row_of(self._spaces, {**self._any(), name: text}, self._fixed)])
        return point.shown[name]

    def _any(self) -> dict[str, Any]:
        return {name: getattr(d, "choices", (getattr(d, "low", None),))[0] for name, d in self._distributions.items()}


def _missing(measure: str, result: PointResult) -> str:
    close = nearest(measure, result.measures)
    known = f"Did you mean '{close}'?" if close else f"It gave {', '.join(result.measures) or 'none'}."
    return f"point {result.number} gave no number '{measure}'. {known}"


def _optuna() -> Any:
    try:
        return importlib.import_module("optuna")
    except ImportError:
        raise InputRefused("--optimize needs Optuna.", cure='Install it: pip install "p2p-toolkit[optuna]".') from None


def _distribution(optuna: Any, space: Space) -> Any:
    found = optuna.distributions
    if not isinstance(space, Between):
        return found.CategoricalDistribution(getattr(space, "values", ()))
    low, high, step = space.low, space.high, space.step
    if step:
        low, high = (number * step for number in space.multiples())
    if space.whole:
        return found.IntDistribution(int(low), int(high), log=space.log, step=int(step) or 1)
    return found.FloatDistribution(low, high, log=space.log, step=step or None)
