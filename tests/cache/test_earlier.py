"""What the steps of an earlier run did, read from its journal as it grows."""

from __future__ import annotations

from pathlib import Path

import pytest

from p2p.cache.earlier import Deeds
from p2p.tracking import Journal


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path)


def step(journal: Journal, name: str, logged: int, *, inside: str = "") -> None:
    journal.append("step_started", step=name, id=name, parent_id=inside)
    journal.append("logged", step_id=name, number=logged)
    if not inside:
        journal.append("step_finished", step=name, id=name, state="done")


def numbers(deeds: Deeds, step_id: str) -> list[int]:
    return [event["number"] for event in deeds.of(step_id)]


def test_what_a_step_inside_a_step_did_is_the_outer_one_s_too(journal: Journal, tmp_path: Path) -> None:
    journal.append("step_started", step="outer", id="outer", parent_id="")
    step(journal, "inner", 1, inside="outer")
    step(journal, "innermost", 2, inside="inner")
    journal.append("step_finished", step="outer", id="outer", state="done")
    step(journal, "next", 3)
    deeds = Deeds(tmp_path)
    assert [numbers(deeds, name) for name in ("outer", "inner", "next", "unknown")] == [[1, 2], [1, 2], [3], []]


def test_a_run_that_is_still_at_work_is_read_on(journal: Journal, tmp_path: Path) -> None:
    step(journal, "first", 1)
    journal.append("step_started", step="second", id="second", parent_id="")
    deeds = Deeds(tmp_path)
    assert (numbers(deeds, "first"), numbers(deeds, "second")) == ([1], [])
    journal.append("logged", step_id="second", number=2)
    journal.append("step_finished", step="second", id="second", state="done")
    assert numbers(deeds, "second") == [2]


def test_a_journal_is_read_once_however_many_steps_are_asked_for(journal: Journal, tmp_path: Path) -> None:
    for number in range(3):
        step(journal, f"s{number}", number)
    deeds = Deeds(tmp_path)
    assert numbers(deeds, "s0") == [0]
    journal.path.unlink()
    assert numbers(deeds, "s2") == [2]


def test_what_comes_after_the_end_of_a_run_does_not_count(journal: Journal, tmp_path: Path) -> None:
    step(journal, "first", 1)
    journal.append("run_finished", status="FINISHED")
    journal.append("logged", step_id="first", number=2)
    assert numbers(Deeds(tmp_path), "first") == [1]
