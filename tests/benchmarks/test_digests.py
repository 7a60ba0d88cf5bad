"""Digests are taken of the user's values, at the end and after each cell."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from benchmarks.convert import digests
from benchmarks.convert.digests import OWN, Watch, digest, last_words, leave, left
from tests.shells import real_shell


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names of a program that has just started."""
    module = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)
    return vars(module)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    with real_shell(tmp_path, monkeypatch) as made:
        yield made


def test_modules_functions_and_classes_are_no_values(main: dict[str, Any]) -> None:
    exec("import json\ndef f(): pass\nclass C: pass\nx = [1, 2]\n_hidden = 1", main)
    assert digests.digests(main) == {"x": digest([1, 2])}


def test_a_function_of_the_notebook_in_a_value_is_marked_however_deep(main: dict[str, Any]) -> None:
    exec("def f():\n    return f\none = {1: f}\ndeep = {'a': [one]}\nplain = {'a': [1]}", main)
    found = digests.digests(main)
    assert [name for name, d in found.items() if d is not None and OWN in d] == ["one", "deep"]


def test_an_object_of_the_notebook_s_class_is_known_by_its_state(main: dict[str, Any]) -> None:
    """Wherever its class is defined, which a version does in a module of its own."""
    text = "class C:\n    def __init__(self, x):\n        self.x = x\nmany = [C(1), C(2)]\nother = [C(1), C(3)]"
    exec(text, main)
    module = ModuleType("pipelines.n.v1.steps")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, module.__name__, module)
        exec(text, vars(module))
        assert digest(main["many"]) == digest(vars(module)["many"]) != digest(vars(module)["other"])
    assert digest(main["many"]) not in (None, digest(main["other"]))


def test_whether_two_arrays_of_a_value_are_one_object_does_not_count() -> None:
    one, other = np.arange(5), np.arange(5)
    assert digest({"a": {one.size: one}, "b": [one, {1}]}) == digest({"a": {one.size: one}, "b": [other, {1}]})
    assert digest([one, {1}]) != digest([one + 1, {1}])


class Expression:
    """Of a library of expressions: equal by what it says, and it keeps what it was asked."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.answers: dict[str, int] = {}

    def __eq__(self, other: object) -> bool:
        return repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return self.text


def test_a_value_that_keeps_answers_is_known_by_what_it_says() -> None:
    asked = Expression("x + 1")
    before = digest(asked)
    asked.answers["size"] = 3
    assert digest(asked) == before != digest(Expression("x + 2"))
    assert "'" in str(before)
    assert "'" not in str(digest((1, {2})))


def test_so_is_a_part_of_a_value_if_a_library_has_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    def holding(text: str, answer: int) -> dict[str, Any]:
        expression = Expression(text)
        expression.answers["size"] = answer
        return {"a": [expression, {1}]}

    assert digest(holding("x", 1)) != digest(holding("x", 2))
    monkeypatch.setattr(digests, "_is_installed", lambda package: True)
    assert digest(holding("x", 1)) == digest(holding("x", 2)) != digest(holding("y", 1))
    assert digest(holding("x, ..., y", 1)) != digest(holding("x, ..., y", 2))  # what says only a part of itself


def test_what_cannot_be_stored_has_no_digest() -> None:
    class Loud:
        def __reduce__(self) -> Any:
            raise RuntimeError("not me")

    assert digest(Loud()) is None
    assert digest(n for n in range(3)) is None


def test_a_program_leaves_the_digests_of_its_values(main: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "digests.json"
    exec("x = 1\n" + last_words(path), main)
    assert left(path) == ({"x": digest(1)}, [])


def test_a_watch_sees_each_cell_once_though_a_magic_runs_cells_inside(shell: Any) -> None:
    watch = Watch(shell)
    for cell in ("xs = [2, 1]", "%%capture said\nxs.sort()\nprint(xs)", "xs = 0"):
        shell.run_cell(cell)
    assert [border["xs"] for border in watch.borders if border] == [digest([2, 1]), digest([1, 2]), digest(0)]


def test_a_watch_stops_when_its_allowance_is_used_up(
    shell: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(digests, "ALLOWANCE", 0.0)
    digests.watch(shell)
    shell.run_cell("xs = 1")
    leave(shell.user_ns, str(tmp_path / "digests.json"))
    told = json.loads((tmp_path / "digests.json").read_text())
    digests._watches.clear()
    assert told["borders"] == [None]
    assert told["final"]["xs"] == digest(1)
