"""What a step touches while it runs."""

from __future__ import annotations

import importlib
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from p2p.cache.watching import Touched, look_away_from, saw, watched


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


def test_what_another_threads_library_does_is_not_the_steps_but_what_its_own_threads_do_is(tmp_path: Path) -> None:
    look_away_from(["elsewhere-"])
    with watched([], []) as touched:
        for name in ("elsewhere-1", "of the step"):
            thread = threading.Thread(target=(tmp_path / name).touch, name=name)
            thread.start()
            thread.join()
    assert list(touched.seen) == [f"it opened {(tmp_path / 'of the step').resolve()} for writing"]


def test_a_step_in_a_librarys_thread_is_looked_at(tmp_path: Path) -> None:
    seen: list[str] = []

    def step() -> None:
        with watched([], []) as touched:
            (tmp_path / "x").touch()
        seen.extend(touched.seen)

    look_away_from(["elsewhere-"])
    thread = threading.Thread(target=step, name="elsewhere-1")
    thread.start()
    thread.join()
    assert seen == [f"it opened {(tmp_path / 'x').resolve()} for writing"]


def test_what_was_seen_where_the_body_runs_counts() -> None:
    with watched([], []) as touched:
        saw(["it opened a file"])
    saw(["it opened another"])
    assert list(touched.seen) == ["it opened a file"]
