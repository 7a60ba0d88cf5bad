from __future__ import annotations

from pathlib import Path

import pytest

from p2p.export.compile import compile_notebook
from p2p.export.plan import Plan
from p2p.export.verify import compare_runs, loaded_here
from p2p.model import StepRecord, StepState
from p2p.store import MemoryStore
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


def test_what_a_step_made_of_its_input_is_held_against_what_the_notebook_made_of_it() -> None:
    store = MemoryStore()
    notebook = [record(store, "draw", [7], drawn=0.5)]
    verdicts = [
        {c.value: c.verdict for c in compare_runs(notebook, [record(store, "draw", drawn=0.5, source=made)],
                                                  loaded_here(store))}
        for made in ([7], [9])
    ]  # fmt: skip
    assert verdicts == [{"drawn": "equal", "source": "equal"}, {"drawn": "equal", "source": "unequal"}]
