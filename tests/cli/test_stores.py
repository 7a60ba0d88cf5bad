"""`p2p store`: what it says, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from p2p.settings import Settings
from p2p.store import DiskStore
from tests.cli.conftest import Answer
from tests.upkeep.workshop import run, stored, value

P2P = Callable[..., Answer]


def test_values_are_listed_the_last_used_first_with_the_runs_that_need_them(p2p: P2P, settings: Settings) -> None:
    old, new = value(settings, {"a": 1}, unused=9000), value(settings, {1, 2}, unused=10)
    run(settings, "2026a", old)
    run(settings, "2026b", old)
    document = p2p("store", "list", "--json").document
    assert [(v["digest"], v["codec"], v["bytes"], v["runs"]) for v in document] == [
        (new.digest, "pickle", new.nbytes, 0), (old.digest, "json", old.nbytes, 2),
    ]  # fmt: skip
    lines = p2p("store", "list").out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == [str(new.digest)[:12], str(old.digest)[:12]]


def test_a_long_list_is_cut_unless_all_is_asked_for(p2p: P2P, settings: Settings) -> None:
    for number in range(53):
        value(settings, [number])
    short, full = p2p("store", "list").out, p2p("store", "list", "--all").out
    assert "3 more; --all shows them" in short
    assert len(short.splitlines()) == 52
    assert len(full.splitlines()) == 54


def test_sizes_are_told_by_codec_and_place(p2p: P2P, settings: Settings) -> None:
    one, two, three = value(settings, [1]), value(settings, [22]), value(settings, (1,))
    journal = run(settings, "2026a", one)
    document: dict[str, Any] = p2p("store", "size", "--json").document
    assert document["codecs"] == {
        "json": {"count": 2, "bytes": one.nbytes + two.nbytes}, "pickle": {"count": 1, "bytes": three.nbytes},
    }  # fmt: skip
    assert document["values"] == {"count": 3, "bytes": one.nbytes + two.nbytes + three.nbytes}
    assert document["runs"] == {"count": 1, "bytes": journal.stat().st_size}
    assert document["cache"] == {"count": 0, "bytes": 0}
    assert document["limit"] == 20 * 10**9
    assert "limit of values: 20 GB" in p2p("store", "size").out


def test_a_sound_store_is_said_to_be(p2p: P2P, settings: Settings) -> None:
    value(settings, [1])
    answer = p2p("store", "check")
    assert (answer.code, answer.out) == (0, "1 values read, 0 damaged\n")


def test_damage_is_named_and_repaired_only_when_asked(p2p: P2P, settings: Settings) -> None:
    store = DiskStore(settings.values)
    ref, whole = value(settings, [1]), value(settings, [2])
    store.path(ref).write_bytes(b"[3]")
    answer = p2p("store", "check", "--json")
    assert answer.code == 1
    assert [(d["digest"], d["moved"]) for d in answer.document["damaged"]] == [(ref.digest, False)]
    assert "another digest" in answer.document["damaged"][0]["problem"]
    shown = p2p("store", "check", "--repair")
    assert shown.code == 1
    assert str(ref.digest) in shown.out
    assert stored(settings, ref, whole) == [False, True]
    assert p2p("store", "check").code == 0
    assert store.get(store.put([1])) == [1]


def test_pruning_says_what_is_removed_and_what_comes_free(p2p: P2P, settings: Settings) -> None:
    lost, kept = value(settings, "x" * 1498), value(settings, [2])
    run(settings, "2026a", lost)
    run(settings, "2026b", kept)
    dry = p2p("store", "prune", "--keep", "1", "--dry-run")
    assert "1 values, 0 cache entries and 0 leftovers would be removed: 1.5 KB free, 3 B of values left" in dry.out
    assert stored(settings, lost, kept) == [True, True]
    document = p2p("store", "prune", "--keep", "1", "--json").document
    assert [v["digest"] for v in document["removed"]] == [lost.digest]
    assert (document["dry_run"], document["freed"], document["left"]) == (False, 1500, kept.nbytes)
    assert stored(settings, lost, kept) == [False, True]


def test_age_and_limit_hold_values_back(p2p: P2P, settings: Settings) -> None:
    day, year = value(settings, [1], unused=86_400), value(settings, [2], unused=365 * 86_400)
    assert p2p("store", "prune", "--older-than", "400d", "--json").document["removed"] == []
    assert p2p("store", "prune", "--limit", "1MB", "--json").document["removed"] == []
    assert len(p2p("store", "prune", "--older-than", "30d", "--json").document["removed"]) == 1
    assert stored(settings, day, year) == [True, False]


@pytest.mark.parametrize("option", [("--older-than", "30"), ("--limit", "lots"), ("--keep", "-1")])
def test_options_that_cannot_be_read_are_refused_and_nothing_goes(
    p2p: P2P, settings: Settings, option: tuple[str, str]
) -> None:
    ref = value(settings, [1])
    answer = p2p("store", "prune", *option)
    assert answer.code == 2
    assert option[0] in answer.err
    assert stored(settings, ref) == [True]


def test_an_empty_project_has_an_empty_store(p2p: P2P) -> None:
    assert p2p("store", "list", "--json").document == []
    assert p2p("store", "check", "--json").document == {"checked": 0, "damaged": []}
    assert p2p("store", "prune", "--json").document["freed"] == 0
    assert p2p("store", "size", "--json").document["values"] == {"count": 0, "bytes": 0}


def test_a_run_brings_a_store_over_its_limit_back(
    p2p: P2P, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from p2p.cli.storing import prune_over_limit
    from p2p.settings import load_settings

    monkeypatch.setenv("P2P_STORE_LIMIT", "1.5kB")
    lost, needed = value(settings, "x" * 998), value(settings, "y" * 1998)
    run(settings, "2026a", needed)
    prune_over_limit(load_settings())
    assert stored(settings, lost, needed) == [False, True]
    said = capsys.readouterr().err
    assert "over their limit: 1 values" in said
    assert "recent runs need them" in said
