"""What a step touches while it runs."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import pytest

from p2p.cache.watching import watched


def test_an_import_that_looks_into_the_working_directory_is_no_doubt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else no step that is the first to import a library could be used again."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with watched([], []) as touched:
        importlib.import_module("colorsys")
    assert list(touched.seen) == []


def test_a_folder_that_is_listed_is_seen(tmp_path: Path) -> None:
    with watched([], []) as touched:
        os.listdir(tmp_path)  # noqa: PTH208 - as libraries do it
    assert list(touched.seen) == [f"it os.listdir {tmp_path.resolve()}"]
