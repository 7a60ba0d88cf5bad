"""Cache entries that are damaged, and cache directories that others could write to."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cache.conftest import Bench
from tests.cache.test_memory import entry_of


def text(text: str) -> Callable[[Bench], None]:
    return lambda bench: put(entry_of(bench), text.encode())


def put(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def poisoned(bench: Bench) -> None:
    """It says another result than the one that was made."""
    other = bench.values.put(7)
    path = entry_of(bench)
    document = json.loads(path.read_text())
    document["kept"]["outputs"]["y"].update(digest=other.digest, nbytes=other.nbytes)
    path.write_text(json.dumps(document))


def damaged_values(bench: Bench) -> None:
    for path in value_files(bench):
        path.write_bytes(b"\0" + path.read_bytes()[1:])


def without_values(bench: Bench) -> None:
    for path in value_files(bench):
        path.unlink()


def value_files(bench: Bench) -> list[Path]:
    return [p for p in bench.values.root.rglob("*") if p.is_file() and not p.name.startswith(".")]


def truncated(bench: Bench) -> None:
    path = entry_of(bench)
    put(path, path.read_bytes()[: path.stat().st_size // 2])


def open_to_others(folder: Path, _monkeypatch: pytest.MonkeyPatch) -> None:
    folder.chmod(0o777)


def of_another_user(_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)
