"""Only what no kept run refers to goes, and only when nobody has used it for a while."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from p2p.errors import StoreError
from p2p.settings import Settings
from p2p.store import DiskStore
from p2p.upkeep import Keep, keep_to_limit, prune, pruning
from tests.upkeep.workshop import HOUR, entries, entry, run, stored, value


@pytest.fixture
def place(tmp_path: Path) -> Settings:
    return Settings(tmp_path, "")


def test_values_of_old_runs_go_and_those_of_the_newest_stay(place: Settings) -> None:
    refs = [value(place, [number]) for number in range(4)]
    shared = value(place, "shared")
    for number, ref in enumerate(refs):
        run(place, f"2026-{number}", ref, shared)
    done = prune(place, Keep(runs=2))
    assert stored(place, *refs, shared) == [False, False, True, True, True]
    assert {file.digest for file in done.values} == {ref.digest for ref in refs[:2]}
    assert done.freed == sum(ref.nbytes for ref in refs[:2])
    assert done.left == sum(ref.nbytes for ref in (*refs[2:], shared))


def test_values_of_an_open_run_stay_however_old(place: Settings) -> None:
    ref, orphan = value(place, [1]), value(place, [2])
    run(place, "2020", ref, end=False)
    prune(place, Keep(runs=0))
    assert stored(place, ref, orphan) == [True, False]


def test_what_was_used_within_the_grace_time_stays(place: Settings) -> None:
    young, old = value(place, [1], unused=0.9 * HOUR), value(place, [2], unused=1.1 * HOUR)
    prune(place, Keep(runs=0))
    assert stored(place, young, old) == [True, False]


def test_a_value_found_present_meanwhile_stays(place: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A live run puts a value that is there already, after the prune has read the journals and listed the files."""
    ref = value(place, ["x"])
    real = pruning.remove

    def later(*arguments: Any, **options: Any) -> Any:
        assert DiskStore(place.values).put(["x"]) == ref
        return real(*arguments, **options)

    monkeypatch.setattr(pruning, "remove", later)
    assert prune(place, Keep(runs=0)).values == ()
    assert stored(place, ref) == [True]


def test_only_what_was_unused_for_long_goes_when_asked(place: Settings) -> None:
    week, year = value(place, [1], unused=7 * 24 * HOUR), value(place, [2], unused=365 * 24 * HOUR)
    prune(place, Keep(runs=0, unused_for=30 * 24 * HOUR))
    assert stored(place, week, year) == [True, False]


def test_a_limit_removes_no_more_than_it_takes_the_longest_unused_first(place: Settings) -> None:
    refs = [value(place, str(number) * 998, unused=(10 - number) * HOUR) for number in range(5)]
    assert {ref.nbytes for ref in refs} == {1000}
    kept = value(place, "k" * 998, unused=99 * HOUR)
    run(place, "2026", kept)
    assert prune(place, Keep(limit=4000)).left == 4000
    assert stored(place, *refs, kept) == [False, False, True, True, True, True]
    assert prune(place, Keep(limit=4000)).values == ()


def test_a_dry_run_tells_the_same_and_removes_nothing(place: Settings) -> None:
    one, two = value(place, [1]), value(place, [2])
    value(place, ["young"], unused=60)
    entry(place, "ab" * 32, "gone", y=one)
    told = prune(place, Keep(runs=0), dry=True)
    assert stored(place, one, two) == [True, True]
    assert entries(place) == ["ab" * 32]
    assert prune(place, Keep(runs=0)) == replace(told, values=tuple(told.values))
    assert stored(place, one, two) == [False, False]
    assert entries(place) == []


def test_an_entry_of_the_cache_goes_with_its_value_and_stays_with_its_run(place: Settings) -> None:
    lost, hidden, shown = value(place, [1]), value(place, [2]), value(place, [3])
    run(place, "2026-old", lost)
    run(place, "2026-zew", shown)
    entry(place, "aa" * 32, "2026-old", y=lost, also=shown)
    entry(place, "bb" * 32, "2026-zew", y=shown, random=hidden)
    entry(place, "ac" * 32, "2026-zew", y=shown)  # in the file of the first
    assert prune(place, Keep(runs=1)).entries == 1
    assert stored(place, lost, hidden, shown) == [False, True, True]
    assert entries(place) == ["ac" * 32, "bb" * 32]


def test_nothing_is_removed_while_a_journal_cannot_be_read(place: Settings) -> None:
    ref = value(place, [1])
    journal = run(place, "2026")
    journal.unlink()
    journal.mkdir()
    with pytest.raises(StoreError, match="cannot be read"):
        prune(place, Keep(runs=0))
    assert stored(place, ref) == [True]


def test_leftovers_are_swept_and_counted(place: Settings) -> None:
    ref = value(place, [1])
    rest = DiskStore(place.values).path(ref).with_name(".x.tmp")
    rest.write_bytes(b"12345")
    assert prune(place, Keep(grace=3600)).leftovers == 0
    done = prune(place, Keep(grace=-1))
    assert (done.leftovers, done.leftover_bytes) == (1, 5)
    assert not rest.exists()


def test_a_store_over_its_limit_is_brought_below_it_and_one_below_is_left_alone(place: Settings) -> None:
    refs = [value(place, str(number) * 998) for number in range(5)]
    assert keep_to_limit(place) is None
    assert keep_to_limit(replace(place, values_limit=5000)) is None
    assert keep_to_limit(replace(place, values_limit=None)) is None
    done = keep_to_limit(replace(place, values_limit=4999))
    assert done is not None
    assert done.left == 4000
    assert sum(stored(place, *refs)) == 4
