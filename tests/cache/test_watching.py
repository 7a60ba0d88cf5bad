"""What a step touches while it runs."""

from __future__ import annotations

import importlib
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from p2p.cache.watching import Touched, watched


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


def test_threads_that_open_files_meanwhile_do_not_disturb_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Touched, "take", lambda *_event: time.sleep(0.001))
    stop = threading.Event()

    def open_and_open() -> None:
        while not stop.is_set():
            (tmp_path / "busy.txt").write_text("x")

    threads = [threading.Thread(target=open_and_open) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(30):
            with watched((), []):
                time.sleep(0.002)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
