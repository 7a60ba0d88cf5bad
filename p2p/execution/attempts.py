"""A step tried by its policy: limits, waits, going back to the start, and what stands in for it in the end.

An attempt fails when its body raises, when its time is over, and when an output breaks its contract. An interrupt or
exit is no failure: nothing follows it.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from p2p import contracts
from p2p.execution.figures import Figures
from p2p.execution.rewind import Rewind
from p2p.execution.services import Services
from p2p.execution.telling import Attempted
from p2p.execution.timeouts import Limit, async_deadline, in_time
from p2p.execution.work import Work
from p2p.policy import Policy


class Attempts:
    """The attempts of one step.

    Attributes:
        replaced: the last attempt's error, when the outputs are the fallback's.
        missed: names of inputs that cannot be put back to what they were before an attempt.
    """

    def __init__(self, work: Work, services: Services, telling: Attempted) -> None:
        self.replaced: Exception | None = None
        self._work = work
        self._services = services
        self._telling = telling
        self._began = services.monotonic()
        touched = work.inputs if work.touched is None else work.touched
        self._rewind = Rewind(touched) if work.policy.goes_on else None

    @property
    def missed(self) -> list[str]:
        return self._rewind.missed if self._rewind else []

    async def outputs(self, drawn: Figures | None) -> Mapping[str, Any]:
        """The outputs of the first attempt that succeeds, or the fallback's; else the last one's error is raised."""
        while True:
            try:
                return await self._attempt()
            except Exception as error:
                if not self._work.policy.covers(error):
                    raise
                delay = self._delay()
                if delay is None:
                    if self._work.fallback is None:
                        raise
                    self.replaced = error
                    break
                self._telling.retried(error, delay, self.missed)
            await self._services.sleep(delay) if self._work.coroutine else self._services.block(delay)
            self._go_back(drawn)
        self._go_back(drawn)
        return await self._fall_back(self.replaced)

    def _delay(self) -> float | None:
        """Seconds until the next attempt; None when there is none to come."""
        return self._work.policy.again_after(self._telling.attempts, self._spent(), self._services.random)

    def _spent(self) -> float:
        return self._services.monotonic() - self._began

    def _go_back(self, drawn: Figures | None) -> None:
        """What the failed attempt has changed and drawn is undone."""
        if drawn is not None:
            drawn.discard()
        values = self._rewind.back() if self._rewind else {}
        if self._work.reset:
            self._work.reset(values)

    async def _attempt(self) -> Mapping[str, Any]:
        self._telling.attempts += 1
        self._telling.place.again()
        limits = limits_of(self._work.policy, self._spent())
        if not limits:
            return self._checked(await self._body(None))
        self._telling.attempt_started(limits)
        try:
            result = await self._body(limit_of(self._work.name, self._work.policy, self._spent()))
        finally:
            self._telling.attempt_finished()
        return self._checked(result)

    async def _body(self, limit: Limit | None) -> Mapping[str, Any]:
        if self._work.coroutine:
            async with async_deadline(limit):
                result = self._work.body()
                return dict(await result if inspect.isawaitable(result) else result)
        return dict(in_time(limit, self._work.body))

    async def _fall_back(self, error: Exception) -> Mapping[str, Any]:
        assert self._work.fallback is not None
        try:
            result = self._work.fallback()
            return self._checked(dict(await result if inspect.isawaitable(result) else result))
        except Exception as failure:
            raise failure from error

    def _checked(self, outputs: Mapping[str, Any]) -> Mapping[str, Any]:
        contracts.check(self._work.name, outputs, self._work.contracts)
        return outputs


def limits_of(policy: Policy, spent: float) -> dict[str, float]:
    """The limits of an attempt that begins now, `spent` seconds after the first one, in seconds from now."""
    limits = {"timeout": policy.timeout, "give_up": policy.left(spent)}
    return {name: max(seconds, 1e-3) for name, seconds in limits.items() if seconds is not None}


def limit_of(step: str, policy: Policy, spent: float) -> Limit | None:
    """The limit that comes first; None where there is none."""
    limits = limits_of(policy, spent)
    if not limits:
        return None
    name = min(limits, key=lambda limit: limits[limit])
    return Limit(step, limits[name], getattr(policy, name), "give-up time" if name == "give_up" else name)
