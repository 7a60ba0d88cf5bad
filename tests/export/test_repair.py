"""Which unmarked statements are kept when the proof shows that something is missing."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from p2p.export.compile import compile_notebook
from p2p.export.plan import Plan
from p2p.export.repair import repairs
from tests.building import read_built

CELLS = (
    "%%step load\nrows = [3, 1, 2]",
    "import random\nother = random.random()\nrows.index(3)",
    "look = other + 1",
    "%%step top\nbest = rows[0]",
    "shown = len(rows)",
)


@pytest.fixture
def planned(tmp_path: Path) -> Callable[..., Plan]:
    def planned(keep: Collection[int] = ()) -> Plan:
        return compile_notebook(read_built(tmp_path, *CELLS), "sorted", [], keep)

    return planned


def kept(plan: Plan) -> list[str]:
    return [part.what for part in plan.kept]


def test_first_what_touches_the_steps_making_and_then_all_above_it(planned: Callable[..., Plan]) -> None:
    found = list(repairs(planned(), "top"))
    assert [kept(planned(keep)) for keep in found] == [
        ["rows.index(3)"],
        ["other = random.random()", "rows.index(3)", "look = other + 1"],
    ]


def test_what_the_recorded_run_saw_comes_before_all(planned: Callable[..., Plan]) -> None:
    first, *_others = repairs(planned(), "top", seen=[3])
    assert kept(planned(first)) == ["look = other + 1"]
    below = repairs(planned(), "top", seen=[5])
    assert next(below) == next(repairs(planned(), "top"))


def test_what_is_kept_runs_in_its_place_and_gives_what_it_may_have_changed(planned: Callable[..., Plan]) -> None:
    related, everything = repairs(planned(), "top")
    assert [(s.name, s.takes, s.outputs) for s in planned(related).steps] == [
        ("load", (), ("rows",)), ("prepare_rows", ("rows",), ("rows",)), ("top", ("rows",), ("best",)),
    ]  # fmt: skip
    made = planned(everything)
    assert [s.name for s in made.steps] == ["load", "prepare_other", "prepare_look", "top"]
    assert made.steps[1].outputs == ("other", "rows")
    assert made.steps[1].source.splitlines() == ["other = random.random()", "rows.index(3)"]


@pytest.mark.parametrize("step", ["load", "no such step", ""])
def test_where_nothing_stands_above_there_is_nothing_to_keep(planned: Callable[..., Plan], step: str) -> None:
    assert list(repairs(planned(), step)) == []
