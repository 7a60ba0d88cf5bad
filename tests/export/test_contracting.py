from __future__ import annotations

import datetime
from typing import Any

import pandas as pd
import pytest

from p2p.contracts import broken_rules
from p2p.export.contracting import infer
from p2p.model import StepRecord, StepState
from p2p.store import MemoryStore

FRAME = pd.DataFrame({"mass": [1.0, 2.0], "species": ["a", None], "n": [1, 2]})


def contract_of(*values: Any) -> Any:
    """The contract that these values of one name lead to, as an object; None for none."""
    store = MemoryStore()
    steps = [StepRecord(f"s{i}", StepState.DONE, 0.1, 1, outputs={"value": store.put(v)}) for i, v in enumerate(values)]
    found = infer(steps, store).get("value")
    if found is None:
        return None
    line, text = found
    scope: dict[str, Any] = {}
    exec(line, scope)
    return eval(text, scope)


def test_a_frame_s_contract_asks_for_columns_and_types_and_for_no_observed_range() -> None:
    contract = contract_of(FRAME)
    assert broken_rules(FRAME, contract) == []
    other = FRAME.assign(mass=[-1e9, None], species=[None, "zebra"], n=[0, 10**9], more=1)
    assert broken_rules(other, contract) == []
    assert broken_rules(FRAME[:0], contract) == []


def test_a_missing_column_and_a_wrong_type_are_told_by_the_column_s_name() -> None:
    contract = contract_of(FRAME)
    assert broken_rules(FRAME.drop(columns=["mass"]), contract) == ["column 'mass' is missing"]
    (problem,) = broken_rules(FRAME.assign(n=["x", "y"]), contract)
    assert problem.startswith("column 'n' should be int64, got ")


def test_a_frame_that_changes_along_the_way_is_held_to_what_stays() -> None:
    contract = contract_of(FRAME, FRAME.drop(columns=["mass"]).astype({"n": float}))
    assert broken_rules(FRAME[["species"]], contract) == []
    assert broken_rules(FRAME[["mass"]], contract) == ["column 'species' is missing"]


@pytest.mark.parametrize(
    ("seen", "also", "not_this"),
    [
        ("text", "", 1),
        ([1], [], (1,)),
        (1, 1.5, "1"),
        (1.5, 2, None),
        (datetime.date(2024, 1, 1), datetime.date.max, "x"),
    ],
)
def test_any_other_value_is_held_to_its_type_and_a_number_to_being_one(seen: Any, also: Any, not_this: Any) -> None:
    contract = contract_of(seen)
    assert broken_rules(also, contract) == []
    assert broken_rules(not_this, contract) != []


@pytest.mark.parametrize("values", [(None,), (1, "one")])
def test_a_name_that_says_nothing_of_its_type_has_no_contract(values: tuple[Any, ...]) -> None:
    assert contract_of(*values) is None


def test_a_class_of_a_library_is_imported_from_where_people_import_it() -> None:
    store = MemoryStore()
    model = pytest.importorskip("sklearn.linear_model").LinearRegression()
    steps = [StepRecord("fit", StepState.DONE, 0.1, 1, outputs={"model": store.put(model)})]
    assert infer(steps, store)["model"] == ("import sklearn.linear_model", "sklearn.linear_model.LinearRegression")
