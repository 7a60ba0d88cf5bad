"""The index of past runs: right whatever has happened to journals and to itself, and read instead of them."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from p2p.model import RunStatus
from p2p.settings import Settings
from p2p.tracking.journal import NAME, Journal
from p2p.upkeep import Keep, PastRun, PastRuns, prune

MANY = 300


@pytest.fixture
def place(tmp_path: Path) -> Settings:
    return Settings(tmp_path, "")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each file was opened, by name."""
    count: Counter[str] = Counter()
    really = Path.open

    def noted(path: Path, *arguments: Any, **options: Any) -> Any:
        count[path.name] += 1
        return really(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", noted)
    return count


def run(place: Settings, key: str, status: str = "FINISHED", *, run_id: str = "", **facts: Any) -> Path:
    """A run's journal; its run is open where it has no status."""
    journal = Journal(place.runs / key)
    journal.append("run_opened", **{"name": "sales", "run_kind": "notebook", "source": "sales.ipynb", **facts})
    if run_id:
        journal.append("mlflow_run", run_id=run_id)
    if status:
        journal.append("run_finished", status=status)
    journal.close()
    return journal.path


def told(place: Settings, **facts: str) -> list[tuple[str, str, str]]:
    return [(run.key, run.status.value, run.run_id) for run in PastRuns(place).having(**facts)]


def test_runs_are_told_the_newest_first_by_what_they_opened_with(place: Settings) -> None:
    run(place, "1", run_id="a")
    run(place, "2", "FAILED", name="other")
    run(place, "3", "", tags={"p2p.purpose": "verification"})
    for _ in range(2):  # from journals, then from the index
        assert told(place) == [("3", "RUNNING", ""), ("2", "FAILED", ""), ("1", "FINISHED", "a")]
        assert told(place, name="sales", run_kind="notebook") == [("3", "RUNNING", ""), ("1", "FINISHED", "a")]
        assert [found.purpose for found in PastRuns(place).having()] == ["verification", "", ""]
    assert told(Settings(place.root / "none", "")) == []


def test_runs_that_are_known_are_not_read_again(place: Settings, opened: Counter[str]) -> None:
    for number in range(MANY):
        run(place, f"2026{number:04d}", "FAILED")
    assert not any(found.status is RunStatus.FINISHED for found in PastRuns(place).having())
    assert opened[NAME] == 2 * MANY  # its first line, and its end
    opened.clear()
    run(place, "2027")
    assert len(told(place)) == MANY + 1
    assert opened[NAME] == 2


def test_a_prune_reads_the_journals_of_the_runs_that_it_keeps(place: Settings, opened: Counter[str]) -> None:
    for number in range(MANY):
        run(place, f"2026{number:04d}")
    assert len(told(place)) == MANY
    opened.clear()
    prune(place, Keep(runs=10))
    assert opened[NAME] == 10


def test_a_journal_that_has_grown_is_read_again(place: Settings) -> None:
    journal = run(place, "1", "")
    assert told(place) == [("1", "RUNNING", "")]
    with journal.open("a") as file:
        file.write('\n{"kind": "run_finished", "at": 5000000000, "status": "KILLED"}\n')
    assert told(place) == [("1", "KILLED", "")]
    with journal.open("a") as file:  # told to MLflow after its end; who had lost the run says something too
        file.write('\n{"kind": "mlflow_run", "run_id": "a"}\n\n{"kind": "run_finished", "status": "FINISHED"}\n')
    assert told(place) == [("1", "KILLED", "a")]
    assert next(PastRuns(place).having()).at == 5.0


def test_what_only_looks_like_an_end_is_none(place: Settings) -> None:
    journal = run(place, "1", "")
    with journal.open("a") as file:
        file.write('\n{"kind": "logged", "params": {"kind": "run_finished"}}\n\n{"kind": "run_finished", "status": "F')
    assert told(place) == [("1", "RUNNING", "")]


def test_runs_whose_directory_is_gone_are_gone_and_leave_the_index_in_the_end(place: Settings) -> None:
    for number in range(4):
        run(place, str(number))
    assert len(told(place)) == 4
    before = sum(path.stat().st_size for path in place.index.iterdir())
    for number in (0, 1, 3):
        shutil.rmtree(place.runs / str(number))
    assert told(place) == [("2", "FINISHED", "")]
    assert sum(path.stat().st_size for path in place.index.iterdir()) < before
    assert told(place) == [("2", "FINISHED", "")]


@pytest.mark.parametrize("damage", [b"", b"\0" * 500, b"cut", None])
def test_a_damaged_index_costs_a_look_and_nothing_else(place: Settings, damage: bytes | None) -> None:
    run(place, "1", "FAILED", run_id="a")
    expected = told(place)
    for path in place.index.iterdir():
        whole = path.read_bytes()
        flipped = whole.replace(b"FAILED", b"FINISH")
        path.write_bytes({None: flipped, b"cut": whole[: len(whole) // 2]}.get(damage, damage or b""))
    assert told(place) == expected == [("1", "FAILED", "a")]


def test_an_index_that_cannot_be_written_hinders_nobody(place: Settings) -> None:
    run(place, "1")
    place.index.parent.mkdir(exist_ok=True, parents=True)
    place.index.touch()
    assert told(place) == [("1", "FINISHED", "")]


def test_what_another_version_may_have_written_is_passed_over(place: Settings) -> None:
    run(place, "1")
    (place.runs / "notes.txt").touch()
    (place.runs / "2").mkdir()
    (place.runs / "3").mkdir()
    (place.runs / "3" / NAME).write_text('{"kind": "run_op\n{"kind": "run_finished", "status": "FINISHED", "at": 1}\n')
    runs = PastRuns(place)
    runs._index.add("ab" * 32, json.dumps({"key": "1", "another": 1, "status": "FAILED"}).encode())
    runs._index.add("cd" * 32, b"[1]")
    for _ in range(2):
        assert told(place, run_kind="notebook") == [("1", "FINISHED", "")]
    assert {found.key: found.status for found in PastRuns(place).having()}["3"] is RunStatus.FINISHED


def test_two_who_read_at_once_say_the_same(place: Settings) -> None:
    for number in range(3):
        run(place, str(number))
    both: list[Iterator[PastRun]] = [PastRuns(place).having(), PastRuns(place).having()]
    assert [[*pair] for pair in zip(*both, strict=True)] == [[found, found] for found in PastRuns(place).having()]
