"""What the scheduler does with what is due, by a clock that the test sets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from p2p.errors import StoreError
from p2p.model import RunStatus
from p2p.scheduling.model import Missed, Overlap, TickKind, TickState
from p2p.scheduling.scheduler import MOST_INTERRUPTIONS, Limits
from tests.scheduling.world import Runs, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def test_a_tick_is_begun_at_its_time_and_not_before(world: World) -> None:
    world.add("30 * * * *")
    scheduler = world.scheduler()
    assert f"{scheduler.turn():%H:%M}" == "12:30"
    world.later(minutes=29, seconds=59)
    scheduler.turn()
    assert world.at_work() == []
    world.later(seconds=1)
    scheduler.turn()
    (attempt,) = world.at_work()
    assert f"{attempt.tick.time:%H:%M}" == "12:30"
    world.finish()
    assert world.times("nightly", TickState.DONE) == ["28 12:30"]
    (tick,) = world.ledger.history("nightly")
    assert (tick.run, tick.run_id, tick.attempts, tick.owner) == ("run-0", "id-0", 1, "")


@pytest.mark.parametrize("schedulers", [2, 4])
def test_however_many_schedulers_are_up_a_tick_runs_once(world: World, schedulers: int) -> None:
    world.add("* * * * *")
    for _ in range(schedulers):
        world.scheduler()
    for _ in range(5):
        world.later(minutes=1)
        world.settle()
    assert [f"{one.tick.time:%H:%M}" for one in world.attempts] == ["12:01", "12:02", "12:03", "12:04", "12:05"]


def test_a_failed_tick_is_tried_again_later_and_later(world: World) -> None:
    world.add("30 12 * * *", retries=2, retry_delay=60.0)
    scheduler = world.scheduler()
    world.later(minutes=30)
    scheduler.turn()
    for minutes in (1, 2):
        world.finish(RunStatus.FAILED)
        assert world.at_work() == []
        assert f"{scheduler.turn():%H:%M}" == f"{world.now.replace(minute=world.now.minute + minutes):%H:%M}"
        world.later(minutes=minutes)
        scheduler.turn()
        assert len(world.at_work()) == 1
    world.finish(RunStatus.FAILED)
    (tick,) = world.ledger.history("nightly")
    assert (tick.state, tick.reason, tick.attempts) == (TickState.FAILED, "boom", 3)
    assert [one.goes_on for one in world.attempts] == ["", "run-0", "run-1"]


def test_a_tick_over_its_time_is_stopped_and_has_failed(world: World) -> None:
    world.add("30 12 * * *", timeout=600.0)
    scheduler = world.scheduler()
    world.later(minutes=30)
    assert f"{scheduler.turn():%H:%M}" == "12:40"
    world.later(minutes=10)
    scheduler.turn()
    scheduler.turn()
    (tick,) = world.ledger.history("nightly")
    assert (tick.state, tick.reason) == (TickState.FAILED, "it took longer than 600 s")


def due_while_at_work(world: World, overlap: Overlap, **facts: object) -> list[tuple[str, str, str]]:
    """An hour's tick is at work when the next is due, and ends half an hour after."""
    world.add("0 * * * *", overlap=overlap, **facts)
    scheduler = world.scheduler()
    for _ in range(2):
        world.later(hours=1)
        scheduler.turn()
        scheduler.turn()
    world.later(minutes=30)
    world.finish()
    world.settle()
    return [(f"{t.time:%H:%M}", str(t.state), t.reason) for t in reversed(world.ledger.history("nightly"))]


def test_overlap_skip(world: World) -> None:
    found = due_while_at_work(world, Overlap.SKIP)
    assert found == [("13:00", "done", ""), ("14:00", "skipped", "the tick of 2026-11-28 13:00Z was at work")]


def test_overlap_queue(world: World) -> None:
    assert due_while_at_work(world, Overlap.QUEUE) == [("13:00", "done", ""), ("14:00", "done", "")]
    assert [one.status for one in world.attempts] == [RunStatus.FINISHED] * 2


def test_overlap_replace(world: World) -> None:
    found = due_while_at_work(world, Overlap.REPLACE)
    assert found == [("13:00", "replaced", "the tick of 2026-11-28 14:00Z was due"), ("14:00", "done", "")]


def test_more_than_one_at_once_is_no_overlap(world: World) -> None:
    assert due_while_at_work(world, Overlap.SKIP, at_once=2) == [("13:00", "done", ""), ("14:00", "done", "")]


def test_a_tick_that_waits_to_be_tried_again_is_at_work(world: World) -> None:
    world.add("0 * * * *", retries=1, retry_delay=7200.0)
    scheduler = world.scheduler()
    world.later(hours=1)
    scheduler.turn()
    world.finish(RunStatus.FAILED)
    world.later(hours=1)
    scheduler.turn()
    assert world.times("nightly", TickState.SKIPPED) == ["28 14:00"]


def test_missed_ticks_that_run_run_one_after_the_other_in_order(world: World) -> None:
    world.add("0 * * * *", missed=Missed.ALL, most=3)
    world.later(hours=10, seconds=30)
    scheduler = world.scheduler()
    scheduler.turn()
    assert len(world.at_work()) == 1
    world.settle()
    assert world.times("nightly", TickState.DONE) == ["28 19:00", "28 20:00", "28 21:00", "28 22:00"]
    (skipped,) = world.ledger.skipped("nightly")
    assert (skipped.count, skipped.reason) == (6, "missed, and no more than the last 3 are run")


def test_what_a_dead_scheduler_had_is_gone_on_with_and_what_had_ended_is_not_run_again(world: World) -> None:
    world.add("30 * * * *")
    first = world.scheduler()
    world.later(minutes=30)
    first.turn()
    first.turn()  # it hears which run was opened
    world.crash("scheduler-1")
    second = world.scheduler()
    second.turn()
    second.turn()
    assert [(one.status, one.goes_on) for one in world.attempts] == [(RunStatus.KILLED, ""), (None, "run-0")]
    world.end(world.at_work()[0], RunStatus.FINISHED)
    world.crash("scheduler-2")  # before it has heard of it
    world.scheduler().turn()
    (tick,) = world.ledger.history("nightly")
    assert (tick.state, tick.interruptions, len(world.attempts)) == (TickState.DONE, 1, 2)


def test_a_tick_that_ends_its_scheduler_each_time_is_given_up(world: World) -> None:
    world.add("30 12 * * *", alerts=("json://localhost",))
    world.later(minutes=30)
    for number in range(1, MOST_INTERRUPTIONS + 3):
        scheduler = world.scheduler()
        scheduler.turn()
        scheduler.turn()
        world.crash(f"scheduler-{number}")
    world.scheduler().turn()
    (tick,) = world.ledger.history("nightly")
    assert (tick.state, len(world.attempts)) == (TickState.FAILED, MOST_INTERRUPTIONS + 1)
    assert "cut short 21 times" in tick.reason
    assert [news.kind for news in world.untold()] == ["failed"]


def test_a_scheduler_that_was_taken_for_dead_cannot_say_how_a_tick_ended(world: World) -> None:
    world.add("30 * * * *")
    paused = world.scheduler()
    world.later(minutes=30)
    paused.turn()
    del world.schedulers["scheduler-1"]  # it is not seen, but it is there
    second = world.scheduler()
    second.turn()
    second.turn()
    world.attempts[0].told[-1:] = []
    world.end(world.attempts[0], RunStatus.FINISHED)
    paused.turn()
    (tick,) = world.ledger.history("nightly")
    assert (tick.state, tick.owner) == (TickState.RUNNING, "scheduler-2")


def test_a_stopped_scheduler_leaves_its_ticks_to_the_next(world: World) -> None:
    world.add("30 * * * *")
    first = world.scheduler()
    world.later(minutes=30)
    first.turn()
    first.interrupt()
    first.turn()
    assert not first.busy
    (tick,) = world.ledger.history("nightly")
    assert (tick.state, tick.attempts, tick.interruptions) == (TickState.DUE, 0, 1)
    world.scheduler()
    world.settle()
    assert world.times("nightly", TickState.DONE) == ["28 12:30"]


def test_ticks_of_a_paused_schedule_never_run_and_are_told(world: World) -> None:
    world.add("0 * * * *")
    scheduler = world.scheduler()
    world.ledger.pause("nightly", paused=True)
    world.later(hours=3)
    scheduler.turn()
    world.ledger.pause("nightly", paused=False)
    world.later(hours=1)
    world.settle()
    assert world.times() == ["28 16:00"]
    assert [(one.count, one.reason) for one in world.ledger.skipped("nightly")] == [(3, "the schedule was paused")]


def test_no_more_than_the_limit_is_at_work_in_all(tmp_path: Path) -> None:
    world = World(tmp_path, Limits(at_once=2))
    for name in "abc":
        world.add("30 * * * *", name=name)
    world.scheduler()
    world.scheduler()
    world.later(minutes=30)
    for scheduler in world.schedulers.values():
        scheduler.turn()
    assert [one.tick.schedule for one in world.at_work()] == ["a", "b"]
    world.settle()
    assert len(world.attempts) == 3


def test_a_clock_that_goes_back_brings_nothing_a_second_time(world: World) -> None:
    world.add("0 * * * *")
    scheduler = world.scheduler()
    world.later(hours=1)
    world.settle()
    world.later(hours=-2)
    assert f"{scheduler.turn():%H:%M}" == "14:00"
    world.later(hours=2)
    world.settle()
    assert world.times() == ["28 13:00"]


def test_what_people_are_told(world: World) -> None:
    world.add("0 * * * *", alerts=("json://localhost",), late=120.0, missed=Missed.SKIP)
    scheduler = world.scheduler()
    world.later(hours=1)
    scheduler.turn()
    scheduler.turn()
    world.finish(RunStatus.FAILED)
    world.later(hours=1)
    world.settle()
    world.later(hours=3, minutes=5)
    world.settle()
    told = [(one.kind, one.text, one.run_id) for one in world.untold()]
    assert told == [
        ("failed", "boom", "id-0"),
        ("recovered", "it runs again after 2026-11-28 13:00Z had failed", "id-1"),
        (
            "missed", "3 ticks from 2026-11-28 15:00Z to 2026-11-28 17:00Z: missed, and missed ticks of this schedule "
            "are skipped", "",
        ),
    ]  # fmt: skip


def test_a_tick_that_has_not_begun_is_told_once(world: World) -> None:
    for name in "ab":
        world.add("30 * * * *", name=name, alerts=("json://localhost",), late=120.0)
    world.limits = Limits(at_once=1)
    scheduler = world.scheduler()
    world.later(minutes=30)
    scheduler.turn()
    world.later(minutes=5)
    scheduler.turn()
    scheduler.turn()
    assert [(one.kind, one.schedule) for one in world.untold()] == [("late", "b")]


def test_a_backfill_runs_what_is_not_done_as_many_at_once_as_it_may(world: World) -> None:
    world.add("0 * * * *", missed=Missed.SKIP)
    service = world.scheduler()
    world.later(hours=1)
    world.settle()
    world.later(hours=4, minutes=30)
    service.turn()
    times = [world.now.replace(hour=hour, minute=0) for hour in (13, 14, 15, 16)]
    asked = world.ledger.ask("nightly", times, TickKind.BACKFILL)
    assert [str(tick.state) for tick in asked] == ["done", "due", "due", "due"]
    world.limits = Limits(of_each=2, kinds=frozenset({TickKind.BACKFILL}))
    service.turn()
    assert world.at_work() == []
    filler = world.scheduler()
    filler.turn()
    assert len(world.at_work()) == 2
    world.settle()
    assert world.times("nightly", TickState.DONE) == ["28 13:00", "28 14:00", "28 15:00", "28 16:00"]


def full(world: World, *, is_full: bool) -> None:
    """Let the ledger's disk be full for its schedulers: SQLite itself says so."""
    for scheduler in world.schedulers.values():
        connection = scheduler.ledger._connection()
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages if is_full else 10**6}")


def test_how_a_tick_ended_is_put_down_when_the_disk_has_room_again(world: World) -> None:
    world.add("30 * * * *", name="n" * 60, alerts=("json://localhost",))
    scheduler = world.scheduler()
    world.later(minutes=30)
    scheduler.turn()
    world.end(world.at_work()[0], RunStatus.FAILED, "e" * 100_000)  # more than a page has room for
    for _ in range(3):
        full(world, is_full=True)
        with pytest.raises(StoreError, match="full"):
            scheduler.turn()
    full(world, is_full=False)
    scheduler.turn()
    (tick,) = world.ledger.history("n" * 60)
    assert (tick.state, len(tick.reason), tick.attempts) == (TickState.FAILED, 100_000, 1)
    assert len(world.attempts) == 1


def test_a_process_that_cannot_be_started_is_a_failed_attempt(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.add("30 12 * * *", retries=1)
    scheduler = world.scheduler()

    def start(_runs: object, _tick: object, _schedule: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    with monkeypatch.context() as patched:
        patched.setattr(Runs, "start", start)
        world.later(minutes=30)
        scheduler.turn()
    world.later(minutes=1)
    scheduler.turn()
    world.later(minutes=1)
    world.settle()
    (tick,) = world.ledger.history("nightly")
    assert (tick.state, tick.attempts) == (TickState.DONE, 2)


def test_a_tick_that_is_ours_by_the_ledger_only_is_let_go(world: World) -> None:
    world.add("30 * * * *")
    scheduler = world.scheduler()
    world.later(minutes=30)
    scheduler.turn()
    scheduler._at_work.clear()  # as if its commit had told of a full disk
    world.attempts.clear()
    world.settle()
    assert world.times("nightly", TickState.DONE) == ["28 12:30"]
