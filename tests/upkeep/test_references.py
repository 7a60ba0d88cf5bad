from __future__ import annotations

from pathlib import Path

import pytest

from p2p.cache.entries import Entries, Kept
from p2p.errors import StoreError
from p2p.model import RunStatus
from p2p.settings import Settings
from p2p.store import Ledger
from p2p.upkeep.past import PastRun
from p2p.upkeep.references import cache_entries, journals, kept_runs, run_references
from tests.upkeep.workshop import run, value


@pytest.fixture
def place(tmp_path: Path) -> Settings:
    return Settings(tmp_path, "")


def test_a_run_refers_to_every_value_that_its_journal_names(place: Settings) -> None:
    one, two = value(place, [1]), value(place, [2])
    run(place, "2026a", one)
    run(place, "2026b", one, two, name="other", kind="module", end=False)
    found = {journal.parent.name: run_references(journal) for journal in journals(place.runs)}
    assert found == {"2026a": {one.digest}, "2026b": {one.digest, two.digest}}


def test_a_line_that_was_cut_short_still_refers(place: Settings) -> None:
    ref = value(place, [1])
    journal = run(place, "2026a", end=False)
    with journal.open("a") as file:
        file.write('\n{"kind": "step_finished", "outputs": {"x": {"codec": "json", "digest": "' + str(ref.digest))
    assert run_references(journal) == {ref.digest}


def test_a_journal_that_the_disk_does_not_give_is_named(place: Settings) -> None:
    journal = run(place, "2026a")
    journal.unlink()
    journal.mkdir()
    with pytest.raises(StoreError, match=r"2026a.*cannot be read"):
        run_references(journal)


def test_an_entry_of_the_cache_refers_to_its_values_and_to_its_run(place: Settings) -> None:
    one, two, three = value(place, [1]), value(place, [2]), value(place, [3])
    kept = Kept(run="2026a", step_id="1", code="c" * 64, inputs={"x": "d" * 64}, outputs={"y": one}, others={"z": two},
                random=three)  # fmt: skip
    Entries(place.cache).keep("ab" * 32, kept.as_dict())
    Ledger(place.cache).add("ac" * 32, b"[")
    Ledger(place.cache).add("ad" * 32, b"[1]")
    found = {entry.key: (entry.run, entry.digests) for entry in cache_entries(place.cache)}
    assert found["ab" * 32] == ("2026a", {one.digest, two.digest, three.digest})
    assert found["ac" * 32] == found["ad" * 32] == ("", frozenset())


def test_open_runs_and_the_newest_of_each_name_and_kind_are_kept() -> None:
    def made(key: str, name: str, kind: str = "notebook", *, is_open: bool = False) -> PastRun:
        return PastRun(key, kind, name, status=RunStatus.RUNNING if is_open else RunStatus.FINISHED)

    runs = [made("4", "a", "module"), made("3", "a"), made("2", "a"), made("1", "a", is_open=True), made("0", "b")]
    assert kept_runs(runs, 1) == {"1", "3", "4", "0"}
    assert kept_runs(runs, 2) == {"1", "2", "3", "4", "0"}
    assert kept_runs(runs, 0) == {"1"}


def test_a_project_without_runs_refers_to_nothing(place: Settings) -> None:
    assert journals(place.runs) == []
    assert run_references(place.runs / "2026a" / "journal.jsonl") == frozenset()
    assert cache_entries(place.cache) == []
