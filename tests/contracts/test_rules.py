from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from p2p.contracts import broken_rules, check
from p2p.errors import ContractBroken

pandas = pytest.importorskip("pandas")
pandera = pytest.importorskip("pandera.pandas")

PEOPLE = pandera.DataFrameSchema(
    {
        "age": pandera.Column(int, pandera.Check.ge(0)),
        "name": pandera.Column(str, nullable=False),
    }
)
MATRIX = {"type": np.ndarray, "dtype": "float64", "ndim": 2}


def people(**columns: Any) -> Any:
    return pandas.DataFrame({"age": [1, 2], "name": ["ann", "bob"], **columns})


def test_a_value_that_fits_breaks_no_rule() -> None:
    assert broken_rules(people(), PEOPLE) == []
    assert broken_rules(3, int) == []
    assert broken_rules("x", (int, str)) == []
    assert broken_rules(np.eye(2), MATRIX) == []


def test_no_contract_takes_anything() -> None:
    assert broken_rules(object(), None) == []
    check("load", {"x": object()}, {})


@pytest.mark.parametrize(
    ("contract", "rule"),
    [(int, "expected int, got str"), ((int, float), "expected int or float, got str"),
     (pandas.DataFrame, "expected pandas.DataFrame, got str"), (MATRIX, "expected numpy.ndarray, got str"),
     (PEOPLE, "expected pandas.DataFrame, got str"), (pandera.SeriesSchema(), "expected pandas.Series, got str")],
)  # fmt: skip
def test_a_wrong_type_is_named_beside_the_one_that_was_expected(contract: Any, rule: str) -> None:
    assert broken_rules("three", contract) == [rule]


@pytest.mark.parametrize(
    ("value", "kind"),
    [(np.int64(3), (int, float)), (np.float32(3), (int, float)), (np.True_, bool), (np.str_("x"), str),
     (np.float64(3), np.float64), (True, bool), (True, object), (True, (int, bool))],
)  # fmt: skip
def test_a_numpy_scalar_is_the_number_that_it_stands_for(value: Any, kind: Any) -> None:
    assert broken_rules(value, kind) == []


@pytest.mark.parametrize("value", [True, np.True_])
def test_true_is_no_number(value: Any) -> None:
    assert len(broken_rules(value, (int, float))) == 1


@pytest.mark.parametrize(
    ("value", "rules"),
    [
        (np.ones((2, 2), "int32"), ["should be of float64 and is of int32"]),
        (np.ones(3), ["should have 2 dimensions and has 1: its shape is (3,)"]),
        (np.array(["a"]),
         ["should be of float64 and is of <U1", "should have 2 dimensions and has 1: its shape is (1,)"]),
    ],
)  # fmt: skip
def test_an_array_is_held_to_its_type_and_dimensions(value: Any, rules: list[str]) -> None:
    assert broken_rules(value, MATRIX) == rules


def test_an_array_of_texts_may_hold_texts_of_any_length() -> None:
    texts = {"type": np.ndarray, "dtype": "str"}
    assert broken_rules(np.array(["longer than before"]), texts) == []
    assert len(broken_rules(np.array([b"x"]), texts)) == 1


def test_every_broken_value_is_told_at_once_and_whether_the_step_takes_or_gives_it() -> None:
    values, contracts = {"n": 1, "rate": "high", "rows": 3}, {"n": int, "rate": float, "rows": list}
    with pytest.raises(ContractBroken) as given:
        check("clean", values, contracts)
    assert str(given.value) == (
        "Step 'clean' gives 'rate', which breaks its contract: expected float, got str. "
        "Step 'clean' gives 'rows', which breaks its contract: expected list, got int. "
        "Mend step 'clean' or the data that it reads. If the new shape is right, change the contract: run the notebook "
        "on it and export again."
    )
    problems = {"rate": ["expected float, got str"], "rows": ["expected list, got int"]}
    assert given.value.fields == {"step": "clean", "border": "output", "values": problems}
    with pytest.raises(ContractBroken, match=r"Step 'clean' takes 'rate', which.*Mend the data before step") as taken:
        check("clean", values, contracts, taken=True)
    assert taken.value.fields["border"] == "input"


def test_of_many_broken_rules_the_message_has_a_readable_number_and_the_fields_have_all() -> None:
    schema = pandera.DataFrameSchema({f"c{i}": pandera.Column(int) for i in range(12)})
    with pytest.raises(ContractBroken, match=r"column 'c7' is missing; and 4 more\.") as caught:
        check("load", {"x": pandas.DataFrame({"x": [1]})}, {"x": schema})
    assert len(caught.value.fields["values"]["x"]) == 12
