"""The decorator. A decorated function stays callable as before; each call goes through `run_step`."""

from __future__ import annotations

import functools
import inspect
import sys
import textwrap
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, ParamSpec, TypeVar, overload

from p2p.analysis import step_functions
from p2p.cache import code_of_function
from p2p.errors import AnalysisError, InputRefused
from p2p.execution import (
    Call,
    Code,
    Recalled,
    Tally,
    Work,
    arun_step,
    current_services,
    current_step,
    fallback_result,
    items_of,
    map_here,
    mapped_code,
    run_step,
)
from p2p.policy import Kinds, Paths, Policy
from p2p.session import Site, call_site

P = ParamSpec("P")
R = TypeVar("R")


class Step(Generic[P, R]):
    """A function that runs as a step: tried by its policy, tracked, its outputs kept.

    Attributes:
        function: the function as it was written.
        policy: how often it is tried, how long it may take, and what stands in for it.
    """

    def __init__(self, function: Callable[P, R], policy: Policy) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.policy = policy
        self.is_async = inspect.iscoroutinefunction(function)

    @property
    def name(self) -> str:
        return self.function.__name__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        site = Site(self.name, None) if current_step() else call_site(self.name)
        results: list[R] = []
        work = self._work(site, args, kwargs, results)
        if self.is_async:
            return self._later(work, results)  # type: ignore[return-value]  # R is a coroutine here
        run_step(work, current_services())
        return results[-1]

    async def _later(self, work: Work, results: list[Any]) -> Any:
        await arun_step(work, current_services())
        return results[-1]

    def _work(self, site: Site, args: tuple[Any, ...], kwargs: Mapping[str, Any], results: list[Any]) -> Work:
        bound = inspect.signature(self.function).bind(*args, **kwargs)
        targets = site.call.targets if site.call else self._returns()

        def fallback() -> Any:
            made = fallback_result(self.policy.fallback, bound.arguments)
            return given(made) if not inspect.isawaitable(made) else awaited(made)

        def given(result: Any) -> Mapping[str, Any]:
            results.append(result)
            return name_outputs(result, targets)

        async def awaited(result: Any) -> Mapping[str, Any]:
            return given(await result)

        def body() -> Any:
            made: Any = self.function(*bound.args, **bound.kwargs)
            return awaited(made) if self.is_async else given(made)

        return Work(
            name=site.name,
            body=body,
            inputs=_renamed(bound.arguments, site),
            policy=self.policy,
            touched=dict(bound.arguments),
            reset=bound.arguments.update,
            fallback=fallback if self.policy.has_fallback else None,
            coroutine=self.is_async,
            code=self.code,
            form=lambda: form_of(results[-1], targets),
            restored=lambda found: results.append(rebuilt(found)),
            attributes=self._attributes(),
        )  # fmt: skip

    def map(self, partitions: Iterable[Any], /, **constants: Any) -> list[Any]:
        """Call the step's function once for each of `partitions`, as its first argument; gives the results in order.

        It is one step of the run; its policy is that of each item. Items have no order: what one draws from the global
        random generators depends on its place in the list alone.

        Args:
            partitions: what is different each time: anything with an order, but no text, dict or frame.
            constants: the other arguments, by name.

        Raises:
            InputRefused: it cannot be mapped over these, or is a coroutine function.
            ItemFailed: the last attempt at an item failed; those after it are not begun.
        """
        if self.is_async:
            raise InputRefused(
                f"Step '{self.name}' is a coroutine function, which cannot be mapped.",
                cure=f"Write `await asyncio.gather(*({self.name}(item) for item in partitions))`.",
            )
        results: list[list[Any]] = []
        site = Site(self.name, None) if current_step() else call_site(self.name)
        run_step(self._mapped(site, partitions, constants, results), current_services())
        return results[-1]

    def _mapped(self, site: Site, partitions: Iterable[Any], constants: Mapping[str, Any], results: list[Any]) -> Work:
        items = items_of(partitions, site.name)
        kept = partitions if hasattr(partitions, "__len__") else items  # an iterator is used up
        bound = inspect.signature(self.function).bind(kept, **constants)
        call = Call(self.function, (None,), constants)
        targets = site.call.targets if site.call else None
        tally = Tally(site.name)

        def body() -> Mapping[str, Any]:
            results.append(map_here(call, items, self.policy, tally, current_services()))
            return name_outputs(results[-1], targets)

        return Work(
            name=site.name,
            body=body,
            inputs=_renamed(bound.arguments, site),
            policy=self.policy.of_the_whole(),
            code=lambda: mapped_code(self.code()),
            form=lambda: form_of(results[-1], targets),
            restored=lambda found: results.append(rebuilt(found)),
            attributes={**self._attributes(), "mapped": True},
            tells=tally.facts,
        )  # fmt: skip

    def _attributes(self) -> dict[str, str]:
        """Where the function is: its name, and its module where that is not what runs (a notebook, a script)."""
        module = self.function.__module__
        return {"function": self.function.__qualname__, **({"module": module} if module != "__main__" else {})}

    def code(self) -> Code:
        """What the step's code is now; a helper that it uses may have been defined anew."""
        return code_of_function(self.function)

    @functools.cache  # noqa: B019  # steps live as long as their module
    def _returns(self) -> tuple[str, ...] | None:
        """The names in the function's return statement, where they can be read from its source."""
        try:
            found = step_functions(textwrap.dedent(inspect.getsource(self.function)))
        except (OSError, TypeError, AnalysisError):
            return None
        return found[0].returns if found else None

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """In a class, a step is a method."""
        return self if instance is None else types.MethodType(self, instance)

    def __reduce__(self) -> str | tuple[Any, ...]:
        """By name where others can import it, as functions are; else by what it was made of (a notebook's)."""
        module = sys.modules.get(self.__module__)
        name = self.function.__qualname__
        if self.__module__ != "__main__" and getattr(module, name, None) is self:
            return name
        return Step, (self.function, self.policy)

    def __repr__(self) -> str:
        return f"<step {self.name}>"


def _renamed(inputs: Mapping[str, Any], site: Site) -> dict[str, Any]:
    """The inputs under the names that the caller gave them, where the call shows names."""
    if site.call is None:
        return dict(inputs)
    written = zip(site.call.arguments, site.call.argument_names, strict=True)
    order = list(inputs)
    names = {keyword or order[place]: name for place, ((keyword, _text), name) in enumerate(written)}
    return {names.get(parameter) or parameter: value for parameter, value in inputs.items()}


def name_outputs(result: Any, names: tuple[str, ...] | None) -> dict[str, Any]:
    """The outputs of a step function by name: one name takes the result, several share a tuple or list of that length.

    Without names, the output is `result`; None without a name is no output.
    """
    if not names:
        return {} if result is None else {"result": result}
    if len(names) == 1:
        return {names[0]: result}
    if isinstance(result, tuple | list) and len(result) == len(names):
        return dict(zip(names, result, strict=True))
    return {"result": result}


def form_of(result: Any, names: tuple[str, ...] | None) -> str:
    """How `name_outputs` has taken a result apart, so that `rebuilt` can put it together again."""
    if not names and result is None:
        return "nothing"
    apart = isinstance(result, tuple | list) and len(names or ()) > 1 and len(result) == len(names or ())
    if not apart:
        return "one"
    return type(result).__name__ if type(result) in (tuple, list) else "other"


def rebuilt(found: Recalled) -> Any:
    """A function's result from its outputs by name."""
    values = list(found.outputs.values())
    if found.form == "tuple":
        return tuple(values)
    if found.form == "list":
        return values
    return values[0] if values else None


@overload
def step(function: Callable[P, R], /) -> Step[P, R]: ...
@overload
def step(
    *,
    retries: int = ...,
    backoff: float = ...,
    jitter: float = ...,
    max_delay: float = ...,
    retry_on: Kinds = ...,
    give_up: float | None = ...,
    timeout: float | None = ...,
    fallback: Any = ...,
    cache: bool = ...,
    files: Paths = ...,
) -> Callable[[Callable[P, R]], Step[P, R]]: ...
def step(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a function a step.

    Args:
        function: the function, when used without parentheses.
        options: those of `p2p.Policy`, such as `retries` (further attempts, default 0), `timeout` (seconds an attempt
            may take, default no limit) and `fallback` (a value, or a function of the same arguments).

    Outside a run the function works as before, with its policy; inside one (a notebook, `p2p run`, `p2p.run`) the
    call is a step of that run.
    """
    policy = Policy(**options)
    if function is not None:
        return Step(function, policy)
    return lambda wrapped: Step(wrapped, policy)
