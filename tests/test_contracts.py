from __future__ import annotations

from typing import Any

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


def people(**columns: Any) -> Any:
    return pandas.DataFrame({"age": [1, 2], "name": ["ann", "bob"], **columns})


def test_a_value_that_fits_breaks_no_rule() -> None:
    assert broken_rules(people(), PEOPLE) == []
    assert broken_rules(3, int) == []
    assert broken_rules("x", (int, str)) == []


def test_no_contract_takes_anything() -> None:
    assert broken_rules(object(), None) == []
    check("load", {"x": object()}, {})


@pytest.mark.parametrize(
    ("contract", "rule"),
    [(int, "expected int, got str"), ((int, float), "expected int or float, got str"),
     (pandas.DataFrame, "expected pandas.DataFrame, got str")],
)  # fmt: skip
def test_a_wrong_type_is_named_beside_the_one_that_was_expected(contract: Any, rule: str) -> None:
    [sentence] = broken_rules("three", contract)
    assert sentence.startswith(rule[:13])
    assert sentence.endswith("got str")


def test_every_broken_rule_is_told_at_once_with_a_count_and_an_example() -> None:
    frame = people(age=[-1, -2]).drop(columns="name")
    assert broken_rules(frame, PEOPLE) == [
        "column 'name' is missing",
        "column 'age' breaks greater_than_or_equal_to(0) in 2 rows, for example -1",
    ]


def test_a_column_of_another_type_is_told_by_both_types() -> None:
    sentences = broken_rules(people(age=["1", "2"]), PEOPLE)
    assert any("column 'age' should be int64" in sentence for sentence in sentences)


def test_many_broken_rules_are_cut_to_a_readable_number() -> None:
    schema = pandera.DataFrameSchema({f"c{i}": pandera.Column(int) for i in range(9)})
    assert broken_rules(pandas.DataFrame({"x": [1]}), schema)[-1] == "and 4 more"


def test_what_is_no_frame_breaks_a_frames_contract_instead_of_crashing() -> None:
    assert len(broken_rules([1, 2], PEOPLE)) == 1


def test_the_error_names_the_step_the_value_and_the_rule() -> None:
    with pytest.raises(ContractBroken) as caught:
        check("clean", {"n": 1, "rate": "high"}, {"n": int, "rate": float})
    assert caught.value.fields == {"step": "clean", "name": "rate", "problems": ["expected float, got str"]}
