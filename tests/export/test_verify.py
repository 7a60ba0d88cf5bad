from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from p2p.errors import EvidenceRefused
from p2p.export.compile import compile_notebook
from p2p.export.plan import Plan
from p2p.export.verify import compare_runs, loaded_here, refuse_unequal
from p2p.model import StepRecord, StepState
from p2p.store import MemoryStore
from tests.building import read_built


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def plan(tmp_path: Any) -> Plan:
    return compile_notebook(read_built(tmp_path, "%%step load\nrows = 1"), "sales", [])


def record(store: MemoryStore, name: str, parent: str = "", **outputs: Any) -> StepRecord:
    refs = {n: store.put(v) for n, v in outputs.items()}
    return StepRecord(name, StepState.DONE, 0.1, 1, outputs=refs, parent=parent)


def test_values_are_held_against_the_notebook_s_by_step_and_name(store: MemoryStore) -> None:
    notebook = [record(store, "load", rows=[1, 2], lock=(x for x in [])), record(store, "fit", line=1.0)]
    module = [record(store, "load", rows=[1, 2], lock=(x for x in [])), record(store, "fit", line=1.5),
              record(store, "prepare_x", x=1), record(store, "inner", parent="fit", y=1)]  # fmt: skip
    found = {f"{c.step}/{c.value}": c.verdict for c in compare_runs(notebook, module, loaded_here(store))}
    assert found == {
        "load/rows": "equal", "load/lock": "structure", "fit/line": "unequal", "prepare_x/x": "not recorded"
    }  # fmt: skip


def test_a_difference_in_a_frame_says_where(store: MemoryStore, plan: Plan) -> None:
    notebook = [record(store, "load", rows=pd.DataFrame({"a": [1, 2], "b": [3.0, 4.0]}))]
    module = [record(store, "load", rows=pd.DataFrame({"a": [1, 2], "b": [3.0, 5.0]}))]
    with pytest.raises(EvidenceRefused) as refusal:
        refuse_unequal(plan, compare_runs(notebook, module, loaded_here(store)), [])
    (finding,) = refusal.value.findings
    assert finding.where == "step 'load', value 'rows'"
    assert "'b'" in finding.what


def test_a_step_that_did_not_run_is_a_finding(plan: Plan) -> None:
    with pytest.raises(EvidenceRefused) as refusal:
        refuse_unequal(plan, [], ["fit"])
    assert [f.where for f in refusal.value.findings] == ["step 'fit'"]


def test_equal_runs_pass(store: MemoryStore, plan: Plan) -> None:
    refuse_unequal(plan, compare_runs([record(store, "a", x=1)], [record(store, "a", x=1)], loaded_here(store)), [])


def verdicts(store: MemoryStore, one: Any, other: Any, tolerance: float = 1e-9) -> tuple[str, str]:
    differ = loaded_here(store, tolerance)
    (found,) = compare_runs([record(store, "a", x=one)], [record(store, "a", x=other)], differ)
    return found.verdict, found.detail


def test_numbers_within_the_tolerance_are_close_and_the_difference_is_told(store: MemoryStore) -> None:
    assert verdicts(store, [1.0, 2.0], [1.0, 2.0 + 1e-12]) == ("close", "item 1: 2.0 against 2.000000000001")
    assert verdicts(store, [1.0, 2.0], [1.0, 2.0 + 1e-12], tolerance=0)[0] == "unequal"
    assert verdicts(store, [1.0, 2.0], [1.0, 2.1])[0] == "unequal"


def test_what_cannot_be_stored_is_held_by_its_type_and_shape(store: MemoryStore) -> None:
    assert verdicts(store, (x for x in []), (x for x in [1]))[0] == "structure"
    assert verdicts(store, (x for x in []), [1])[0] == "unequal"


def test_an_unequal_value_is_named_in_the_refusal(store: MemoryStore, plan: Plan) -> None:
    compared = compare_runs([record(store, "a", x=1)], [record(store, "a", x=2)], loaded_here(store))
    with pytest.raises(EvidenceRefused) as refusal:
        refuse_unequal(plan, compared, [])
    assert (refusal.value.fields["step"], refusal.value.fields["value"]) == ("a", "x")
