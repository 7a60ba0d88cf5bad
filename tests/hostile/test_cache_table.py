"""The rows of the hostile-input table for cache entries: each is a miss and one warning, or changes nothing."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from p2p.cache import code
from tests.cache import examples
from tests.cache.conftest import Bench
from tests.cache.conftest import bench as bench
from tests.cache.test_memory import entry_of

row = pytest.param


def _text(text: str) -> Callable[[Bench], None]:
    return lambda bench: _put(entry_of(bench), text.encode())


def _put(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _poisoned(bench: Bench) -> None:
    """It says another result than the one that was made."""
    other = bench.values.put(7)
    path = entry_of(bench)
    document = json.loads(path.read_text())
    document["kept"]["outputs"]["y"].update(digest=other.digest, nbytes=other.nbytes)
    path.write_text(json.dumps(document))


def _damaged_values(bench: Bench) -> None:
    for path in _value_files(bench):
        path.write_bytes(b"\0" + path.read_bytes()[1:])


def _without_values(bench: Bench) -> None:
    for path in _value_files(bench):
        path.unlink()


def _value_files(bench: Bench) -> list[Path]:
    return [p for p in bench.values.root.rglob("*") if p.is_file() and not p.name.startswith(".")]


def _truncated(bench: Bench) -> None:
    path = entry_of(bench)
    _put(path, path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    "damage",
    [
        row(_poisoned, id="poisoned"),
        row(_truncated, id="truncated"),
        row(_text(""), id="empty"),
        row(_text("null"), id="null"),
        row(_text("[]"), id="list"),
        row(_text('{"format": 2}'), id="another-format"),
        row(_text("x" * 1000), id="no-json"),
        row(_text("[" * 20_000), id="nested"),
        row(_text('{"kept": {"run": 1}}'), id="half-a-record"),
        row(_damaged_values, id="its-values-damaged"),
        row(_without_values, id="half-deleted"),
    ],
)
def test_a_damaged_entry_is_a_miss_and_one_warning(
    bench: Bench, damage: Callable[[Bench], None], caplog: pytest.LogCaptureFixture
) -> None:
    bench.run().step(examples.double, x=3)
    damage(bench)
    again = bench.run().step(examples.double, x=3)
    assert (again.outputs, again.attempts) == ({"y": 6}, 1)
    assert len([r for r in caplog.records if r.levelno >= logging.WARNING]) == 1
    assert bench.run().step(examples.double, x=3).attempts == 0  # it has been written anew


def test_every_flipped_byte_is_a_miss_or_changes_nothing(bench: Bench) -> None:
    bench.run().step(examples.double, x=3)
    path = entry_of(bench)
    whole = path.read_bytes()
    for place in range(len(whole)):
        flipped = bytearray(whole)
        flipped[place] ^= 0x10
        path.write_bytes(bytes(flipped))
        assert bench.run(cache=True).step(examples.double, x=3).outputs == {"y": 6}, place
        path.write_bytes(whole)


def test_swapped_entries_are_not_believed(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    paths: dict[int, Path] = {}
    for x in (3, 4):
        before = {*paths.values()}
        bench.run().step(examples.double, x=x)
        [paths[x]] = {*(bench.root / "p2p" / "cache").rglob("*.json")} - before
    three, four = paths[3].read_bytes(), paths[4].read_bytes()
    _put(paths[3], four)
    _put(paths[4], three)
    assert [bench.run().step(examples.double, x=x).outputs["y"] for x in (3, 4)] == [6, 8]
    assert len([r for r in caplog.records if r.levelno >= logging.WARNING]) == 2


def test_an_entry_of_another_library_version_is_another_steps(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    np.random.seed(1)  # imports numpy.random, so that all three find it there
    bench.run().step(examples.seeded, n=3)
    assert bench.run().step(examples.seeded, n=3).attempts == 0
    version = code._version
    monkeypatch.setattr(code, "_version", lambda root: version(root) + ".post1" * (root == "numpy"))
    assert bench.run().step(examples.seeded, n=3).attempts == 1


def _open_to_others(folder: Path, _monkeypatch: pytest.MonkeyPatch) -> None:
    folder.chmod(0o777)


def _of_another_user(_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="Windows has no owner ids")
@pytest.mark.parametrize("make", [row(_open_to_others, id="writable"), row(_of_another_user, id="another-users")])
def test_nothing_of_a_directory_that_others_could_write_to_is_used(
    bench: Bench, make: Callable[[Path, Any], None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bench.run().step(examples.double, x=3)
    make(bench.root / "p2p" / "cache", monkeypatch)
    run = bench.run()
    assert run.step(examples.double, x=3).attempts == 1
    assert "No cached result is used" in caplog.text
