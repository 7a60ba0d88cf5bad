"""The nth operation of MLflow's database fails while a run is sent, for every n until a run passes.

The run's journal is whole all the time, so that the next `p2p doctor` sends the rest; and MLflow has it once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from p2p.params import ParameterSet
from p2p.runners import run_pipeline
from p2p.settings import Settings
from p2p.tracking import driver, facts
from p2p.tracking.reaper import sweep
from tests.killed import mlflow_runs, untold
from tests.soak.saying import say
from tests.soak.test_faults_soak import FIVE, NoSidecar, Params

pytestmark = [pytest.mark.soak, pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")]
MOST = 1000  # operations; a run that needs more has a defect of another kind


@dataclass
class Operations:
    """Counts the statements and commits of every database of this process, and lets some of them fail."""

    nth: int
    message: str
    lasting: bool
    done: int = 0
    failed: list[str] = field(default_factory=list)

    def one(self, what: str) -> None:
        from sqlalchemy.exc import OperationalError

        self.done += 1
        if self.done == self.nth or (self.lasting and self.done > self.nth):
            self.failed.append(what)
            raise OperationalError(what, None, sqlite3.OperationalError(self.message))

    def execute(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        self.one(statement)

    def commit(self, _connection: Any) -> None:
        self.one("COMMIT")


@contextmanager
def failing(nth: int, message: str, *, lasting: bool) -> Iterator[Operations]:
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    operations = Operations(nth, message, lasting)
    event.listen(Engine, "before_cursor_execute", operations.execute)
    event.listen(Engine, "commit", operations.commit)
    try:
        yield operations
    finally:
        event.remove(Engine, "before_cursor_execute", operations.execute)
        event.remove(Engine, "commit", operations.commit)


def problems(settings: Settings, said: Any, operations: Operations) -> Iterator[str]:
    """What must not be, once the database is well again."""
    if said.unsent and not operations.failed:
        yield f"unsent without a fault: {said.unsent}"
    again = sweep(settings)
    yield from (f"{key} is still unsent: {why}" for key, why in again.unsent)
    yield from untold(settings, mlflow_runs(settings))


@pytest.mark.parametrize(
    ("message", "lasting"), [("disk I/O error", False), ("database or disk is full", True)],
    ids=["EIO once", "ENOSPC from then on"],
)  # fmt: skip
def test_every_database_operation_of_sending_may_fail(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, message: str, lasting: bool
) -> None:
    monkeypatch.setattr(driver, "Beside", NoSidecar)
    monkeypatch.setattr(facts, "package_versions", dict)
    wrong: list[str] = []
    told = 0
    for nth in range(1, MOST):
        run_pipeline(FIVE, ParameterSet.of(Params).parse({"month": nth}), settings)
        with failing(nth, message, lasting=lasting) as operations:
            said = sweep(settings)
        told += bool(said.unsent)
        what = operations.failed[0] if operations.failed else ""
        wrong += [f"{nth} ({what:.60}): {text}" for text in problems(settings, said, operations)]
        if not operations.failed:
            break
    say(f"failing database operations, {message} {'from then on' if lasting else 'once'}: N={nth - 1}, "
        f"{told} runs unsent at first, {len(wrong)} broken invariants")  # fmt: skip
    assert wrong == []
    assert 20 < nth < MOST - 1
