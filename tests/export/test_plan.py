from __future__ import annotations

from pathlib import Path

import pytest

from p2p.export.compile import compile_notebook
from p2p.export.plan import Plan
from p2p.export.verify import compare_runs, loaded_here
from p2p.model import StepRecord, StepState
from p2p.store import MemoryStore
from p2p.tracking.records import CellBorder
from tests.building import read_built

CELLS = (
    "%%step load\nimport random\nsource = random.Random(3)\nrows = [1, 2]",
    "%%step draw\nif rows[0] > 5:\n    extra = 1\ndrawn = source.random()",
    "@step\ndef spin(source):\n    return source.random()",
    "spun = spin(source)",
)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return compile_notebook(read_built(tmp_path, *CELLS), "drawing", [])


def record(store: MemoryStore, name: str, changed: object = None, **outputs: object) -> StepRecord:
    refs = {n: store.put(value) for n, value in outputs.items()}
    return StepRecord(name, StepState.DONE, 0.1, 1, outputs=refs,
                      changed={} if changed is None else {"source": store.put(changed)})  # fmt: skip


def test_a_recorded_run_shows_what_a_step_changes_in_place_and_what_it_did_not_give(plan: Plan) -> None:
    assert {s.name: s.outputs for s in plan.steps}["draw"] == ("extra", "drawn")
    store = MemoryStore()
    shown = plan.as_recorded([record(store, "draw", [7], drawn=0.5), record(store, "spin", [8], spun=0.5)])
    assert {s.name: s.outputs for s in shown.steps} == {
        "load": ("source", "rows"), "draw": ("drawn", "source"), "spin": ("spun",),
    }  # fmt: skip
    assert {s.name: s.changes for s in shown.steps}["spin"] == ("source",)


def test_what_a_step_made_of_its_input_is_held_against_what_the_notebook_made_of_it() -> None:
    store = MemoryStore()
    notebook = [record(store, "draw", [7], drawn=0.5)]
    verdicts = [
        {c.value: c.verdict for c in compare_runs(notebook, [record(store, "draw", drawn=0.5, source=made)],
                                                  loaded_here(store))}
        for made in ([7], [9])
    ]  # fmt: skip
    assert verdicts == [{"drawn": "equal", "source": "equal"}, {"drawn": "equal", "source": "unequal"}]


SHARING = (
    "%%step load\nrows = [3, 1]\nbox = [rows]\nother = []",
    "%%step order\nrows.sort()",
    "%%step use\nsize = len(box[0]), len(other)",
)


def border(cell: str, changed: list[str], same: list[list[str]]) -> CellBorder:
    return CellBorder(cell, tuple(changed), (), tuple(map(tuple, same)))


def test_what_shares_an_object_with_a_changed_value_goes_along_where_a_later_step_takes_it(tmp_path: Path) -> None:
    plan = compile_notebook(read_built(tmp_path, *SHARING), "sharing", [])
    seen = {2: border("order", ["rows"], [["box", "rows", "hidden"]])}
    assert [(s.name, s.changes) for s in plan.as_recorded([], seen).steps] == [
        ("load", ()), ("order", ("box",)), ("use", ()),
    ]  # fmt: skip
    assert not any(s.changes for s in plan.as_recorded([], {2: border("order", [], [["box", "rows"]])}).steps)
    assert not any(s.changes for s in plan.as_recorded([], {2: border("order", ["rows"], [["rows", "hidden"]])}).steps)


def test_a_step_that_makes_a_second_name_gives_the_first_one_along(tmp_path: Path) -> None:
    cells = ("%%step load\nrows = [3, 1]", "%%step name\nalias = rows", *SHARING[1:2], "%%step use\nout = alias[0]")
    plan = compile_notebook(read_built(tmp_path, *cells), "sharing", [])
    shown = plan.as_recorded([], {3: border("order", ["rows"], [["alias", "rows"]])})
    assert [s.changes for s in shown.steps] == [(), ("rows",), ("alias",), ()]


def test_what_a_function_changes_in_place_is_given_again(tmp_path: Path) -> None:
    cells = ("@step\ndef order(rows):\n    rows.sort()", "%%step load\nrows = [3, 1]", "order(rows)")
    plan = compile_notebook(read_built(tmp_path, *cells), "sharing", [])
    assert [s.changes for s in plan.as_recorded([], {3: border("order", ["rows"], [])}).steps] == [(), ("rows",)]
