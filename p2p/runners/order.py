"""Which steps of a pipeline wait for which others, where several may run at once.

A step waits for whatever touches a name that it gives, or gives one that it touches. One that may change a value in
place, or draw from a global random generator, changes what others find beyond names: it runs alone.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator, Sequence
from typing import Any

from p2p.analysis import is_library_path
from p2p.pipeline import Task

_DRAWS = frozenset(
    {
        *("random", "seed", "manual_seed", "rand", "randn", "randint", "random_sample", "ranf", "randrange"),
        *("getrandbits", "choice", "choices", "sample", "shuffle", "permutation", "permuted", "normal", "uniform"),
        *("standard_normal", "gauss", "normalvariate", "betavariate", "expovariate", "exponential", "poisson"),
        *("binomial", "multinomial", "multivariate_normal", "rvs", "train_test_split", "resample", "bootstrap"),
    }
)
_MOST = 500  # functions that are looked at for one step


def waits(tasks: Sequence[Task]) -> list[set[int]]:
    """By place of a task, the places of those before it that it waits for."""
    single = [runs_alone(task) for task in tasks]
    takes, gives = [{*task.takes} for task in tasks], [{*task.gives} for task in tasks]
    return [
        {
            other
            for other in range(place)
            if single[place] or single[other]
            or gives[other] & (takes[place] | gives[place]) or takes[other] & gives[place]
        }
        for place in range(len(tasks))
    ]  # fmt: skip


def runs_alone(task: Task) -> bool:
    """Whether no other step may run beside a task: it gives what it takes, or its code names what draws at random."""
    return not {*task.takes}.isdisjoint(task.gives) or may_draw(task.function)


def may_draw(function: Any) -> bool:
    """Whether the code of a function, or of one of the user's own that it names, has a name of what draws at random."""
    waiting = [function]
    seen: set[types.CodeType] = set()
    while waiting and len(seen) < _MOST:
        one = inspect.unwrap(waiting.pop())
        if not isinstance(one, types.FunctionType) or one.__code__ in seen:
            continue
        seen.add(one.__code__)
        names = {*_names(one.__code__)}
        if not names.isdisjoint(_DRAWS):
            return True
        waiting += _own(one, names)
    return False


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _own(function: types.FunctionType, names: set[str]) -> Iterator[Any]:
    """What the names stand for, in the function's module and in modules of the user's own that it names."""
    found = [function.__globals__[name] for name in names if name in function.__globals__]
    for one in found:
        yield one
        if isinstance(one, types.ModuleType) and not is_library_path(getattr(one, "__file__", None) or ""):
            yield from (getattr(one, name) for name in names if hasattr(one, name))
        elif isinstance(one, type):
            yield from vars(one).values()
