"""`run_step`: where contract, policy, values and events meet.

The notebook's cell, papermill's kernel, the local runner and the exported module all come through here, so a step
behaves and is seen the same everywhere. The story is written once, as a coroutine: an ordinary step never suspends
it, so `run_step` can drive it to its end by hand.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from p2p import contracts
from p2p.execution import figures
from p2p.execution.attempts import Attempts
from p2p.execution.services import Services
from p2p.execution.telling import Telling
from p2p.execution.work import Outcome, Work
from p2p.model import ValueRef
from p2p.store import describe


def run_step(work: Work, services: Services) -> Outcome:
    """Run an ordinary step to its end. Raises what its last attempt raised."""
    return drive(arun_step(work, services))


async def arun_step(work: Work, services: Services) -> Outcome:
    """Run one step: check what goes in, try it by its policy, keep what comes out, tell what happened."""
    telling = Telling(work, services)
    try:
        with telling.place.entered():
            telling.started()
            contracts.check(work.name, work.inputs, work.contracts)
            attempts = Attempts(work, services, telling)
            with _figures(work, services) as drawn:
                outputs = await attempts.outputs(drawn)
            refs = {name: _keep(value, services) for name, value in outputs.items()}
    except BaseException as error:
        telling.failed(error)
        raise
    if attempts.replaced is None:
        telling.done(outputs, refs)
    else:
        telling.fell_back(refs, attempts.replaced, attempts.missed)
    return Outcome(outputs, refs, telling.attempts, attempts.replaced)


def _keep(value: Any, services: Services) -> ValueRef:
    return services.values.put(value) if services.values is not None else describe(value)


@contextmanager
def _figures(work: Work, services: Services) -> Iterator[figures.Figures | None]:
    """Figures drawn in the block become artifacts of the run; those of a failed step too, as far as they came."""
    if services.directory is None:
        yield None
        return
    folder = services.directory / "figures"
    with figures.collected(folder, work.name, keep_open=services.keep_figures) as drawn:
        try:
            yield drawn
            drawn.save()
        finally:
            for path in drawn.paths:
                services.events.append("artifact", step=work.name, path=f"figures/{path.name}", folder="figures")


def drive(coroutine: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Run a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: Outcome = stop.value
        return result
    coroutine.close()
    raise RuntimeError("an ordinary step tried to wait; write it as a coroutine (async def)")
