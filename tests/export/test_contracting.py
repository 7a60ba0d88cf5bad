from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from p2p.contracts import broken_rules, observe
from p2p.export.compile import compile_notebook
from p2p.export.contracting import Contract, as_mapping, contracts_file, infer
from p2p.model import StepRecord, StepState
from p2p.store import MemoryStore
from tests.building import read_built

FRAME = pd.DataFrame({"mass": [1.0, 2.0], "species": ["a", None], "n": [1, 2]})


def inferred(*values: Any, changed: Any = None) -> Contract | None:
    """The contract that these values of one name lead to; the last step may change it in place to yet another one."""
    store = MemoryStore()
    steps = [StepRecord(f"s{i}", StepState.DONE, 0.1, 1, outputs={"value": store.put(v)}) for i, v in enumerate(values)]
    if changed is not None:
        steps.append(StepRecord("last", StepState.DONE, 0.1, 1, changed={"value": store.put(changed)}))
    return infer(steps, store).get("value")


def contract_of(*values: Any, changed: Any = None) -> Any:
    """The same as an object; None for none."""
    found = inferred(*values, changed=changed)
    if found is None:
        return None
    scope: dict[str, Any] = {}
    exec(found.line, scope)
    return eval(found.text, scope)


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
    assert problem == "column 'n' should be int64 and is str: 2 of 2 rows, e.g. row 0: 'x'"


def test_a_frame_that_changes_along_the_way_is_held_to_what_stays() -> None:
    contract = contract_of(FRAME, FRAME.drop(columns=["mass"]).astype({"n": float}))
    assert broken_rules(FRAME[["species"]], contract) == []
    assert broken_rules(FRAME[["mass"]], contract) == ["column 'species' is missing"]


def test_a_frame_that_a_step_changes_in_place_is_held_to_what_stays() -> None:
    contract = contract_of(FRAME, changed=FRAME.drop(columns=["mass"]))
    assert broken_rules(FRAME[["species", "n"]], contract) == []


def test_a_column_of_any_type_that_pandera_knows_is_held_to_it_and_keeps_its_own_contract() -> None:
    frame = pd.DataFrame({
        "c": pd.Categorical(["a", "b"]), "i": pd.array([1, None], dtype="Int64"), "o": ["a", 1],
        "t": pd.to_datetime(["2024-01-01", None]), "z": pd.to_datetime(["2024-01-01"] * 2).tz_localize("UTC"),
        "p": pd.period_range("2024-01", periods=2, freq="M"), "v": pd.cut(pd.Series([1, 2]), 2),
        "s": pd.arrays.SparseArray([0.0, 1.0]), "b": pd.array([True, None]), "x": pd.array(["a", None], dtype="string"),
    })  # fmt: skip
    contract = contract_of(frame)
    assert broken_rules(frame, contract) == []
    assert broken_rules(frame[:0], contract) == []
    wrong = frame.assign(**dict.fromkeys(frame.columns, 1j))
    assert [p.split("'")[1] for p in broken_rules(wrong, contract)] == [c for c in frame.columns if c != "o"]


def test_columns_that_share_a_name_or_are_named_by_data_are_not_asked_for() -> None:
    frame = pd.DataFrame([[1, 2.5, 3, 4]], columns=["twice", "twice", 2024, "own"])
    found = inferred(frame)
    assert found is not None
    assert found.columns == ("own",)
    assert broken_rules(frame, contract_of(frame)) == []
    assert broken_rules(frame[[2024]], contract_of(frame)) == ["column 'own' is missing"]


def test_a_series_is_held_to_its_type_and_its_name() -> None:
    contract = contract_of(pd.Series([1, 2], name="y"))
    assert broken_rules(pd.Series([7], name="y"), contract) == []
    assert len(broken_rules(pd.Series([0.5], name="z"), contract)) == 2
    anything = contract_of(pd.Series(["a", 1]), pd.Series([1], name="y"))
    assert broken_rules(pd.Series([0.5], name="z"), anything) == []


def test_an_array_is_held_to_its_type_and_dimensions_and_never_to_its_shape() -> None:
    contract = contract_of(np.eye(2))
    assert broken_rules(np.ones((7, 1)), contract) == []
    assert len(broken_rules(np.ones(2, int), contract)) == 2
    assert broken_rules(np.array(["longer"]), contract_of(np.array(["a"]))) == []
    assert broken_rules(np.array([1]), contract_of(np.array([object()]))) == []
    assert broken_rules(np.ones((2, 2, 2), int), contract_of(np.eye(2), np.ones(1, int))) == []


@pytest.mark.parametrize(
    ("seen", "also", "not_this"),
    [
        ("text", "", 1),
        ([1], [], (1,)),
        (1, 1.5, "1"),
        (1.5, 2, None),
        (1, np.int64(2), True),
        (np.int64(1), 2.5, np.True_),
        (np.float32(1), 2, "1"),
        (np.True_, False, 1),
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
    expected = Contract("import sklearn.linear_model", "sklearn.linear_model.LinearRegression")
    assert infer(steps, store)["model"] == expected


def text_of(outputs: dict[str, Any], directory: Path) -> str:
    """The `contracts.py` of a run that gave these values."""
    plan = compile_notebook(read_built(directory, "%%step load\nx = 1"), "small", [])
    store = MemoryStore()
    steps = [StepRecord("load", StepState.DONE, 0.1, 1, outputs={n: store.put(v) for n, v in outputs.items()})]
    return contracts_file(plan, infer(steps, store))


def test_what_was_seen_stands_below_the_contracts_as_plain_data(tmp_path: Path) -> None:
    outputs = {"frame": FRAME, "y": pd.Series([1, 2]), "m": np.eye(2), "n": 1, "note": "text"}
    text = text_of(outputs, tmp_path)
    scope: dict[str, Any] = {}
    exec(text, scope)
    assert {name: broken_rules(value, scope["CONTRACTS"][name]) for name, value in outputs.items()} == {
        name: [] for name in outputs
    }
    assert scope["OBSERVED"] == {name: observe([outputs[name]]) for name in ("frame", "y", "m")}
    assert json.loads(json.dumps(scope["OBSERVED"])) == scope["OBSERVED"]
    assert '"mass": {"min": 1.0, "max": 2.0, "nulls": False},' in text


def test_without_a_contract_the_file_is_as_short_as_can_be(tmp_path: Path) -> None:
    text = text_of({"nothing": None}, tmp_path)
    assert text.endswith("from typing import Any\n\nCONTRACTS: dict[str, Any] = {}\n")


def test_names_that_differ_in_case_or_are_the_files_own_keep_their_own_schemas(tmp_path: Path) -> None:
    frames = {name: pd.DataFrame({f"of_{name}": [1]}) for name in ("df", "Df", "DF", "contracts", "observed")}
    scope: dict[str, Any] = {}
    exec(text_of(frames, tmp_path), scope)
    for name, frame in frames.items():
        assert broken_rules(frame, scope["CONTRACTS"][name]) == []
        assert broken_rules(pd.DataFrame(), scope["CONTRACTS"][name]) == [f"column 'of_{name}' is missing"]


def test_what_was_merely_seen_is_no_part_of_the_interface() -> None:
    other = FRAME.assign(mass=[7.0, 9.0])
    one, two = inferred(FRAME), inferred(other)
    assert one is not None
    assert two is not None
    assert as_mapping({"x": one}) == as_mapping({"x": two})
    assert one.observed != two.observed
