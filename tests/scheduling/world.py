"""A world in which schedulers live: a clock that is set, and runs that end when they are told to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from p2p.model import RunStatus
from p2p.scheduling.ledger import Ledger
from p2p.scheduling.model import News, Schedule, Tick
from p2p.scheduling.outbox import Outbox
from p2p.scheduling.scheduler import Ended, Limits, Opened, Scheduler

START = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


@dataclass
class Attempt:
    """An attempt of a tick, wherever it was begun."""

    tick: Tick
    by: str
    goes_on: str
    status: RunStatus | None = None
    told: list[Opened | Ended] = field(default_factory=list)

    @property
    def at_work(self) -> bool:
        return self.status is None


class Runs:
    """What one scheduler's executor does; the attempts are the world's, and outlive the scheduler."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name

    def start(self, tick: Tick, schedule: Schedule) -> None:
        assert not [one for one in self._world.attempts if one.at_work and one.tick.id == tick.id]
        attempt = Attempt(tick, self._name, tick.run)
        attempt.told.append(Opened(tick.id, f"run-{len(self._world.attempts)}", f"id-{len(self._world.attempts)}"))
        self._world.attempts.append(attempt)

    def stop(self, tick: int) -> None:
        for attempt in self._world.attempts:
            if attempt.at_work and attempt.tick.id == tick:
                self._world.end(attempt, RunStatus.KILLED)

    def heard(self) -> Sequence[Opened | Ended]:
        found: list[Opened | Ended] = []
        for attempt in self._world.attempts:
            if attempt.by == self._name:
                found += attempt.told
                attempt.told = []
        return found

    def left(self, tick: Tick) -> Ended | None:
        """An attempt whose scheduler is gone ends as KILLED, unless it had ended before."""
        (*_, attempt) = [one for one in self._world.attempts if one.tick.id == tick.id]
        if attempt.at_work:
            self._world.end(attempt, RunStatus.KILLED)
        return Ended(tick.id, attempt.status)


class World:
    """Schedulers on one ledger.

    Args:
        folder: of the ledger.
        limits: of each scheduler.
    """

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self.now = START
        self.ledger = Ledger(folder / "schedules.db", durable=False)
        self.limits = limits or Limits()
        self.attempts: list[Attempt] = []
        self.schedulers: dict[str, Scheduler] = {}
        self._born = 0

    def scheduler(self) -> Scheduler:
        """Another one."""
        self._born += 1
        name = f"scheduler-{self._born}"
        made = Scheduler(
            Ledger(self.ledger.path, durable=False), Runs(self, name), name,
            lambda owner, _beat: owner in self.schedulers, lambda: self.now, self.limits,
        )  # fmt: skip
        self.schedulers[name] = made
        return made

    def crash(self, name: str) -> None:
        """It is gone, without a word."""
        self.schedulers.pop(name).ledger.close()

    def close(self) -> None:
        for name in [*self.schedulers]:
            self.crash(name)
        self.ledger.close()

    def add(self, when: str, **facts: object) -> Schedule:
        """A schedule that counts from now."""
        told = {"name": "nightly", "target": "notebooks/a.ipynb", "when": when, **facts}
        schedule = Schedule(**told)  # type: ignore[arg-type]  # the test says what it is
        self.ledger.add(schedule, self.now)
        return schedule

    def later(self, **by: float) -> None:
        self.now += timedelta(**by)

    def end(self, attempt: Attempt, status: RunStatus, error: str = "") -> None:
        """An attempt ends."""
        attempt.status = status
        attempt.told.append(Ended(attempt.tick.id, status, error or ("" if status is RunStatus.FINISHED else "boom")))

    def untold(self) -> list[News]:
        """What people are to be told."""
        outbox = Outbox(self.ledger.path, durable=False)
        found = outbox.news()
        outbox.close()
        return found

    def at_work(self) -> list[Attempt]:
        return [attempt for attempt in self.attempts if attempt.at_work]

    def finish(self, status: RunStatus = RunStatus.FINISHED) -> None:
        """All that is at work ends, and the schedulers hear of it."""
        for attempt in self.at_work():
            self.end(attempt, status)
        for scheduler in self.schedulers.values():
            scheduler.turn()

    def settle(self) -> None:
        """Let all that is due run to its end."""
        for scheduler in self.schedulers.values():
            scheduler.turn()
        while self.at_work():
            self.finish()

    def times(self, name: str = "nightly", *states: str) -> list[str]:
        """Logical times of ticks, the earliest first, as `28 12:00`, of these states where some are named."""
        found = [tick for tick in reversed(self.ledger.history(name)) if not states or tick.state in states]
        return [f"{tick.time:%d %H:%M}" for tick in found]
