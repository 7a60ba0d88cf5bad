"""Which distribution has a module: the standard library's own answer, found faster."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

import pytest

from p2p.analysis import owners_of, version_of


@pytest.mark.soak  # the standard library takes seconds for it
def test_it_is_what_the_standard_library_answers_for_every_module_that_is_installed() -> None:
    theirs = {module: tuple(sorted(set(names))) for module, names in metadata.packages_distributions().items()}
    assert {module: owners_of(module) for module in theirs} == theirs


def test_a_module_of_another_name_than_its_distribution() -> None:
    assert owners_of("sklearn") == ("scikit-learn",)
    assert version_of("sklearn") == f"scikit-learn {metadata.version('scikit-learn')}"


@pytest.mark.parametrize("module", ["json", "no_such_module", "sklear", "sklearn.base", ""])
def test_nobody_has_what_is_not_installed(module: str) -> None:
    assert owners_of(module) == ()
    assert version_of(module) == ""


def test_a_namespace_is_of_all_that_have_a_part_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b", "a"):
        folder = tmp_path / f"{name}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Name: {name}\nVersion: 1.0\n")
        (folder / "RECORD").write_text(f"shared_space/{name}.py,,\n{name}.libs/x.so,,\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    owners_of.cache_clear()
    assert owners_of("shared_space") == ("a", "b")
    assert owners_of("b") == ()  # a folder of another name
    owners_of.cache_clear()
