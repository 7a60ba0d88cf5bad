"""What `from module import *` binds, held against what Python itself makes of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from p2p.analysis import Place, looking_in, star_names

MODULES = {
    "plain_": """
        import math as m
        from os import path
        ONE: int = 1
        _hidden = 2
        def f():
            inside = 3
        class C:
            inner = 4
        for i in range(2):
            pass
        with open(__file__) as file:
            pass
        if (found := ONE):
            late = 1
        try:
            tried = 1
        except ValueError as error:
            never = 2
        never = never_too = 0
        [comprehended for comprehended in range(3)]
    """,
    "listed_": "__all__ = ['ONE', '_hidden']\nONE = 1\n_hidden = 2\nTWO = 2",
    "again_": "from listed_ import *\nfrom plain_ import ONE as UNO\nTHREE = 3",
    "round_a_": "A = 1\nfrom round_b_ import *",
    "round_b_": "B = 2\nfrom round_a_ import *",
    "pack_/__init__": "from .inner import *\nfrom math import *",
    "pack_/inner": "from . import other\nINNER = 1",
    "pack_/other": "OTHER = 1",
}


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Place]]:
    for name, text in MODULES.items():
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = {*sys.modules}
    yield [Place(tmp_path, first=True)]
    for name in {*sys.modules} - before:
        del sys.modules[name]


@pytest.mark.parametrize("module", ["plain_", "listed_", "again_", "pack_"])
def test_the_text_tells_what_python_binds(module: str, places: list[Place]) -> None:
    with looking_in(places):
        told = star_names(module)
    assert module not in sys.modules, "it was run"
    namespace: dict[str, object] = {}
    exec(f"from {module} import *", namespace)
    assert told is not None
    assert {*told} - {"error"} == {*namespace} - {"__builtins__"}  # the name of an error is bound, and unbound again


def test_modules_that_import_each_other_cannot_be_told_from_one_side_alone(places: list[Place]) -> None:
    with looking_in(places):
        assert star_names("round_a_") is None


@pytest.mark.parametrize(
    "text",
    ["__all__ = [n for n in dir()]", "__all__ = ['a']\n__all__ += ['b']", "from nowhere_ import *", "def f(:"],
)
def test_what_the_text_does_not_tell_is_unknown(text: str, places: list[Place]) -> None:
    (places[0].directory / "unknown_.py").write_text(text, encoding="utf-8")
    with looking_in(places):
        assert star_names("unknown_") is None


def test_outside_of_such_places_only_installed_modules_are_known(places: list[Place]) -> None:
    assert star_names("plain_") is None
    assert "sqrt" in (star_names("math") or ())
