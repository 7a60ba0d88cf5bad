"""Modules that were imported ahead are out of sight until somebody imports them, and then the very same."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from p2p.kernels.stash import Stash

MODULES = ("stashed", "stashed.inner", "alone")


@pytest.fixture
def stash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Stash, dict[str, Any]]]:
    (tmp_path / "stashed").mkdir()
    (tmp_path / "stashed" / "__init__.py").write_text("import builtins\ncount = object()\n")
    (tmp_path / "stashed" / "inner.py").write_text("value = object()\n")
    (tmp_path / "alone.py").write_text("value = object()\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import alone  # type: ignore[import-not-found]  # written above
    import stashed.inner  # type: ignore[import-not-found]  # written above

    found = {name: sys.modules[name] for name in MODULES}
    made = Stash()
    made.add(["stashed", "stashed.inner"])
    made.add(["alone"])
    made.hide()
    yield made, found
    for name in MODULES:
        sys.modules.pop(name, None)
    if made in sys.meta_path:
        sys.meta_path.remove(made)
    assert (alone, stashed) == (found["alone"], found["stashed"])


def test_hidden_modules_are_not_among_the_loaded_ones(stash: tuple[Stash, dict[str, Any]]) -> None:
    assert {*MODULES} & sys.modules.keys() == set()
    assert stash[0].tops == {"stashed", "alone"}


def test_an_import_gives_back_the_same_module_and_all_that_came_with_it(stash: tuple[Stash, dict[str, Any]]) -> None:
    from stashed.inner import value  # type: ignore[import-not-found]  # written above

    assert value is stash[1]["stashed.inner"].value
    assert sys.modules["stashed"] is stash[1]["stashed"]
    assert "alone" not in sys.modules


def test_a_module_that_was_given_back_has_its_own_spec_and_loader(stash: tuple[Stash, dict[str, Any]]) -> None:
    import alone
    import stashed

    for module in (alone, stashed):
        assert module.__spec__.loader is module.__loader__
        assert "stash" not in type(module.__loader__).__module__
    assert importlib.reload(alone).value is not None
    assert stash[0] not in sys.meta_path


def test_a_look_for_a_hidden_module_finds_where_it_is_and_loads_nothing(stash: tuple[Stash, dict[str, Any]]) -> None:
    spec = importlib.util.find_spec("stashed")
    assert spec is not None
    assert spec.origin == stash[1]["stashed"].__file__
    assert list(spec.submodule_search_locations or ()) == list(stash[1]["stashed"].__path__)
    assert "stashed" not in sys.modules


def test_a_module_that_was_made_by_hand_and_a_forbidden_one_are_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    made = type(sys)("made_by_hand")
    monkeypatch.setitem(sys.modules, "made_by_hand", made)
    monkeypatch.setitem(sys.modules, "forbidden", None)
    hidden = Stash()
    hidden.add(["made_by_hand", "forbidden"])
    hidden.hide()
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("forbidden")
    assert importlib.import_module("made_by_hand") is made
    assert made.__spec__ is None
    assert hidden not in sys.meta_path


def test_a_module_that_was_loaded_anew_in_the_meantime_stays(stash: tuple[Stash, dict[str, Any]]) -> None:
    other = sys.modules["stashed.inner"] = type(sys)("stashed.inner")
    import stashed

    assert sys.modules["stashed.inner"] is other
    assert stashed is stash[1]["stashed"]
