"""Jobs done side by side: no more than there are threads, and all of them can be interrupted."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from p2p.sweep.crew import Crew

MAY_TAKE = 20.0  # seconds


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    made = threading.Event()
    yield made
    made.set()


def test_jobs_are_done_at_the_same_time_and_their_results_and_errors_come_back() -> None:
    meeting = threading.Barrier(3, timeout=MAY_TAKE)

    def work(job: int) -> int:
        meeting.wait()
        return 6 // job

    crew = Crew(3, work)
    for job in (0, 1, 2):
        crew.give(job)
    found = dict(crew.take(MAY_TAKE) for _ in range(3))
    crew.dismiss()
    assert (found[1], found[2], crew.busy) == (6, 3, 0)
    assert isinstance(found[0], ZeroDivisionError)


def test_a_thread_does_the_next_job_when_it_has_done_one() -> None:
    crew = Crew(4, lambda job: threading.get_ident())
    threads = set()
    for _ in range(6):
        crew.give("job")
        threads.add(crew.take(MAY_TAKE)[1])
    crew.dismiss()
    assert len(threads) == 1


def test_work_is_interrupted_and_cleans_up(gate: threading.Event) -> None:
    cleaned: list[str] = []

    def work(job: str) -> str:
        try:
            gate.set()
            while True:
                time.sleep(0.01)
        finally:
            cleaned.append(job)

    crew = Crew(1, work)
    crew.give("long")
    gate.wait(MAY_TAKE)
    crew.interrupt()
    [(job, error)] = crew.left(MAY_TAKE)
    assert (job, type(error), cleaned) == ("long", KeyboardInterrupt, ["long"])
    crew.give("too late")  # as for a job that was given a moment before, and not begun yet
    [(job, error)] = crew.left(MAY_TAKE)
    assert (job, type(error), cleaned) == ("too late", KeyboardInterrupt, ["long"])
    crew.dismiss()


def test_what_does_not_stop_is_left_behind(gate: threading.Event) -> None:
    begun = threading.Event()

    def work(_job: str) -> bool:
        begun.set()
        return gate.wait(MAY_TAKE)  # in C, where no error reaches it

    crew = Crew(1, work)
    crew.give("deaf")
    assert begun.wait(MAY_TAKE)
    crew.interrupt()
    assert crew.left(0.1) == []
    assert crew.busy == 1
    gate.set()
    crew.left(MAY_TAKE)
    crew.dismiss()
