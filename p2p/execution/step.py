"""`run_step`: where contract, policy, values and events meet.

The notebook's cell, papermill's kernel, the local runner and the exported module all come through here, so a step
behaves and is seen the same everywhere. The story is written once, as a coroutine: an ordinary step never suspends
it, so `run_step` can drive it to its end by hand.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from p2p import contracts
from p2p.execution import bars, figures
from p2p.execution.attempts import Attempts
from p2p.execution.late import loaded, to_check
from p2p.execution.services import Services
from p2p.execution.telling import Telling
from p2p.execution.work import Outcome, Work
from p2p.model import ValueRef
from p2p.store import describe

T = TypeVar("T")


def run_step(work: Work, services: Services) -> Outcome:
    """Run an ordinary step to its end. Raises what its last attempt raised."""
    return drive(arun_step(work, services))


async def arun_step(work: Work, services: Services) -> Outcome:
    """Run one step: check what goes in, try it by its policy, keep what comes out, tell what happened."""
    telling = Telling(work, services)
    try:
        with telling.place.entered():
            telling.started()
            contracts.check(work.name, to_check(work.inputs, work.contracts), work.contracts, taken=True)
            recalled = _recall(work, telling)
            if recalled is not None:
                return recalled
            loaded(work.inputs)  # before the first attempt: what keeps them from it is no failure that a policy covers
            attempts = Attempts(work, services, telling)
            with telling.memory.watching(), _moving(services, telling), _figures(work, services, telling) as drawn:
                outputs = await attempts.outputs(drawn)
            refs = {name: _keep(value, services) for name, value in outputs.items()}
            kept = telling.memory.keep(telling.place.id, outputs, refs) if attempts.replaced is None else {}
    except BaseException as error:
        telling.failed(error)
        raise
    if attempts.replaced is None:
        telling.done(outputs, refs, kept)
    else:
        telling.fell_back(refs, attempts.replaced, attempts.missed)
    return Outcome(outputs, refs, telling.attempts, attempts.replaced, telling.memory.changed)


def _recall(work: Work, telling: Telling) -> Outcome | None:
    """The outcome of a step whose result is known, put in its place; None when it has to run."""
    if work.restored is None:
        return None
    found = telling.memory.recall(telling.place.id)
    if found is None:
        return None
    contracts.check(work.name, to_check(found.outputs, work.contracts), work.contracts)
    work.restored(found)
    found.settle()
    telling.recalled(found)
    return Outcome(found.outputs, found.refs, 0, changed=telling.memory.changed)


def _keep(value: Any, services: Services) -> ValueRef:
    return services.values.put(value) if services.values is not None else describe(value)


@contextmanager
def _figures(work: Work, services: Services, telling: Telling) -> Iterator[figures.Figures | None]:
    """Figures drawn in the block become artifacts of the run; those of a failed step too, as far as they came."""
    if services.directory is None:
        yield None
        return
    with figures.collected(services.directory, work.name, keep_open=services.keep_figures) as drawn:
        try:
            yield drawn
            drawn.save()
        finally:
            for path in drawn.paths:
                services.events.append(
                    "artifact", step=work.name, step_id=telling.place.id, path=f"figures/{path.name}", folder="figures"
                )


@contextmanager
def _moving(services: Services, telling: Telling) -> Iterator[None]:
    """In the block, what the step's bars say is told on."""
    moments = services.moments
    if moments is None:
        yield
        return
    try:
        with bars.told(telling.moved):
            yield
    finally:
        moments.gone(telling.place.id)


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coroutine.close()
    raise RuntimeError("an ordinary step tried to wait; write it as a coroutine (async def)")
