"""Cache entries that are damaged, and cache directories that others could write to."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from p2p.store import Ledger
from tests.cache.conftest import Bench
from tests.cache.test_memory import entry_of, ledger_file


def text(text: str) -> Callable[[Bench], None]:
    """The ledger is sound, and the entry is not one of ours."""
    return lambda bench: Ledger(ledger_file(bench).parent).add(entry_of(bench)[0], text.encode())


def poisoned(bench: Bench) -> None:
    """It says another result than the one that was made."""
    other = bench.values.put(7)
    outputs = entry_of(bench)[1]["outputs"]
    path = ledger_file(bench)
    path.write_bytes(path.read_bytes().replace(outputs["y"]["digest"].encode(), str(other.digest).encode()))


def damaged_values(bench: Bench) -> None:
    for path in value_files(bench):
        path.write_bytes(b"\0" + path.read_bytes()[1:])


def without_values(bench: Bench) -> None:
    for path in value_files(bench):
        path.unlink()


def value_files(bench: Bench) -> list[Path]:
    return [p for p in bench.values.root.rglob("*") if p.is_file() and not p.name.startswith(".")]


def truncated(bench: Bench) -> None:
    path = ledger_file(bench)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] + b"\n")


def open_to_others(folder: Path, _monkeypatch: pytest.MonkeyPatch) -> None:
    folder.chmod(0o777)


def of_another_user(_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)
