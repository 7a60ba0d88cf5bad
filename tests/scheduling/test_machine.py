"""Schedules in any order of {tick, finish, fail, crash, pause, clock jump, second scheduler, edit, stop}.

What must hold, whatever happened:
- a tick is at work in one place at a time, is done at most once, and nothing runs of what is done;
- no more is at work than the limits say, and nothing is begun of a paused schedule;
- in the end each time that a trigger gave is accounted for: it ran, or it is told why it did not.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from p2p.model import RunStatus
from p2p.scheduling.model import Missed, Overlap, TickState
from p2p.scheduling.scheduler import Limits
from p2p.scheduling.triggers import times
from tests.scheduling.world import START, World

NAMES = ("a", "b")
ENDS = [RunStatus.FINISHED] * 3 + [RunStatus.FAILED, RunStatus.KILLED]


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name), Limits(at_once=2))
        self.paused: set[str] = set()
        self.seen = START  # the latest time that it has been

    @initialize(
        missed=st.sampled_from(Missed), overlap=st.sampled_from(Overlap), retries=st.integers(0, 2),
        timeout=st.sampled_from([None, 90.0]), at_once=st.integers(1, 2), most=st.integers(1, 3),
    )  # fmt: skip
    def begin(self, **facts: Any) -> None:
        self.world.add("* * * * *", name="a", grace=30.0, retry_delay=20.0, **facts)
        self.world.add("*/7 * * * *", name="b", grace=30.0, zone="Europe/Berlin", alerts=("json://localhost",))
        self.world.scheduler()

    @rule(seconds=st.sampled_from([1, 20, 60, 61, 600]))
    def tick(self, seconds: int) -> None:
        self.world.later(seconds=seconds)
        self.turn()

    @rule(seconds=st.sampled_from([-3600, -30, 3600, 86_400]))
    def jump(self, seconds: int) -> None:
        self.world.later(seconds=seconds)
        self.turn()

    def turn(self) -> None:
        self.seen = max(self.seen, self.world.now)
        for scheduler in [*self.world.schedulers.values()]:
            scheduler.turn()

    @precondition(lambda self: self.world.at_work())
    @rule(
        choice=st.integers(0, 9),
        status=st.sampled_from(ENDS),
    )
    def finish(self, choice: int, status: RunStatus) -> None:
        at_work = self.world.at_work()
        self.world.end(at_work[choice % len(at_work)], status)

    @precondition(lambda self: self.world.schedulers)
    @rule(choice=st.integers(0, 9))
    def crash(self, choice: int) -> None:
        names = [*self.world.schedulers]
        self.world.crash(names[choice % len(names)])

    @precondition(lambda self: self.world.schedulers)
    @rule()
    def stop(self) -> None:
        name, scheduler = next(iter(self.world.schedulers.items()))
        scheduler.interrupt()
        scheduler.turn()
        self.world.crash(name)

    @precondition(lambda self: len(self.world.schedulers) < 4)
    @rule()
    def another(self) -> None:
        self.world.scheduler()

    @rule(name=st.sampled_from(NAMES))
    def pause_or_resume(self, name: str) -> None:
        self.paused ^= {name}
        self.world.ledger.pause(name, paused=name in self.paused)

    @invariant()
    def each_tick_is_at_work_once(self) -> None:
        at_work = Counter(one.tick.id for one in self.world.at_work())
        assert all(count == 1 for count in at_work.values())
        done = Counter(one.tick.id for one in self.world.attempts if one.status is RunStatus.FINISHED)
        assert all(count == 1 for count in done.values()), "a done tick ran again"

    @invariant()
    def limits_hold(self) -> None:
        running = [tick for tick in self.world.ledger.open_ticks() if tick.state is TickState.RUNNING]
        assert len(running) <= self.world.limits.at_once
        of_each = Counter(tick.schedule for tick in running)
        assert all(of_each[e.schedule.name] <= e.schedule.at_once for e in self.world.ledger.entries())

    def teardown(self) -> None:
        try:
            self.all_is_accounted_for()
        finally:
            self.world.close()
            self.folder.cleanup()

    def all_is_accounted_for(self) -> None:
        """Let all go on to its end; then each time of each trigger has run, or is told."""
        world = self.world
        if not world.ledger.entries():
            return
        for name in NAMES:
            world.ledger.pause(name, paused=False)
        world.now = self.seen
        if not world.schedulers:
            world.scheduler()
        for _ in range(60):
            self.turn()
            if not world.ledger.open_ticks():
                break
            world.finish()
            world.later(seconds=5)
        assert world.ledger.open_ticks() == []
        for entry in world.ledger.entries():
            self.account(entry.schedule.name)

    def account(self, name: str) -> None:
        world = self.world
        entry = world.ledger.entry(name)
        given = [*times(entry.schedule.trigger, entry.made, entry.looked)]
        ran = [tick.time for tick in world.ledger.history(name, -1)]
        skipped = [
            time for one in world.ledger.skipped(name, -1)
            for time in times(entry.schedule.trigger, one.first - timedelta(seconds=1), one.last)
        ]  # fmt: skip
        assert len(skipped) == sum(one.count for one in world.ledger.skipped(name, -1))
        assert sorted([*ran, *skipped]) == given
        finished = {one.tick.id for one in world.attempts if one.status is RunStatus.FINISHED}
        done = {tick.id for tick in world.ledger.history(name, -1) if tick.state is TickState.DONE}
        assert done == {tick.id for tick in world.ledger.history(name, -1) if tick.id in finished}


def run_machine(examples: int) -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples, stateful_step_count=25, deadline=None, print_blob=True,
            phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip


def test_50_sequences() -> None:
    run_machine(50)


@pytest.mark.soak
def test_5000_sequences() -> None:
    from tests.soak.saying import say

    run_machine(5000)
    say("schedules: 5,000 sequences of up to 25 events, no violation")
