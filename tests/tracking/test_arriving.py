"""Being told of an import, by real modules in a folder of their own."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from p2p.tracking.arriving import when_imported


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A package `arrives`, that is asked about; what is told of it."""
    (tmp_path / "arrives").mkdir()
    (tmp_path / "arrives" / "__init__.py").write_text("from arrives import inner\nready = inner.value\n")
    (tmp_path / "arrives" / "inner.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    found: list[str] = []
    when_imported("arrives", lambda: found.append(f"ready {sys.modules['arrives'].ready}"))
    yield found
    for name in ("arrives", "arrives.inner"):
        sys.modules.pop(name, None)


def test_it_is_told_once_when_the_module_is_whole(told: list[str]) -> None:
    assert told == []
    for _ in range(2):
        importlib.import_module("arrives")
    assert told == ["ready 1"]


def test_a_module_inside_it_brings_it_along(told: list[str]) -> None:
    importlib.import_module("arrives.inner")
    assert told == ["ready 1"]


def test_the_module_is_as_it_would_be(told: list[str]) -> None:
    module = importlib.import_module("arrives")
    assert module.__spec__ is not None
    assert module.__loader__ is module.__spec__.loader
    assert type(module.__loader__).__module__ == "_frozen_importlib_external"
    assert importlib.reload(module).ready == 1
    assert len(told) == 2


def test_asking_twice_is_asking_once(told: list[str]) -> None:
    when_imported("arrives", lambda: told.append("again"))
    importlib.import_module("arrives")
    assert told == ["ready 1"]


def test_what_goes_wrong_in_being_told_fails_no_import(told: list[str], tmp_path: Path) -> None:
    (tmp_path / "other_one.py").write_text("x = 1\n")
    when_imported("other_one", lambda: 1 / 0)  # type: ignore[arg-type]  # gives nothing, as it raises
    assert importlib.import_module("other_one").x == 1
    del sys.modules["other_one"]


def test_a_module_that_fails_is_not_told_of_and_may_be_tried_again(told: list[str], tmp_path: Path) -> None:
    source = tmp_path / "arrives" / "inner.py"
    source.write_text("raise OSError('not yet')\n")
    with pytest.raises(OSError, match="not yet"):
        importlib.import_module("arrives")
    assert told == []
    source.write_text("value = 22\n")
    importlib.invalidate_caches()
    importlib.import_module("arrives")
    assert told == ["ready 22"]


def test_a_module_that_is_not_there_is_not_there(told: list[str]) -> None:
    when_imported("no_such_module_anywhere", lambda: told.append("?"))
    with pytest.raises(ModuleNotFoundError, match="no_such_module_anywhere"):
        importlib.import_module("no_such_module_anywhere")
    assert told == []
