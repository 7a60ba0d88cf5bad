"""Holds this version of sales against what its notebook gave. Written by `p2p export`."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from p2p.contracts import broken_rules
from p2p.testing import assert_gives, differences, recorded
from pipelines.sales.v1 import contracts, steps
from pipelines.sales.v1.params import Params
from pipelines.sales.v1.pipeline import pipeline

VERSION = Path(__file__).parent.parent
DATA = Path(__file__).parent / "data"


def test_reproduces_the_notebook() -> None:
    """Every value of every step has the digest that the notebook's run recorded."""
    assert differences(pipeline, VERSION) == []


def test_clean_alone() -> None:
    """`clean` gives what the notebook's own code gives, on a small recorded example."""
    case = recorded(DATA / "clean")
    assert_gives(steps.clean(case.inputs["sales"], case.inputs["month"]), case, ("tidy",))


def test_prepare_best_alone() -> None:
    """`prepare_best` gives what the notebook's own code gives, on a small recorded example."""
    case = recorded(DATA / "prepare_best")
    assert_gives(steps.prepare_best(case.inputs["tidy"]), case, ("best",))


def test_total_alone() -> None:
    """`total` gives what the notebook's own code gives, on a small recorded example."""
    case = recorded(DATA / "total")
    assert_gives(
        steps.total(tidy=case.inputs["tidy"], best=case.inputs["best"], shop=case.inputs["shop"]),
        case,
        (
            "amount",
            "lead",
        ),
    )


def test_contract_of_sales_rejects_a_missing_column() -> None:
    """A frame without one of its columns is told by that column's name."""
    frame = recorded(DATA / "clean").inputs["sales"]
    assert broken_rules(frame, contracts.CONTRACTS["sales"]) == []
    problems = broken_rules(frame.drop(columns=["month"]), contracts.CONTRACTS["sales"])
    assert problems == ["column 'month' is missing"]


def test_contract_of_tidy_rejects_a_missing_column() -> None:
    """A frame without one of its columns is told by that column's name."""
    frame = recorded(DATA / "prepare_best").inputs["tidy"]
    assert broken_rules(frame, contracts.CONTRACTS["tidy"]) == []
    problems = broken_rules(frame.drop(columns=["month"]), contracts.CONTRACTS["tidy"])
    assert problems == ["column 'month' is missing"]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param({"no_such_parameter": 1}, id="unknown name"),
        pytest.param({"month": {"an": "object"}}, id="month: {'an': 'object'}"),
        pytest.param({"month": -1000000000.0}, id="month: -1000000000.0"),
        pytest.param({"shop": {"an": "object"}}, id="shop: {'an': 'object'}"),
        pytest.param({"shop": -1000000000.0}, id="shop: -1000000000.0"),
    ],
)
def test_refuses_bad_parameters(bad: dict[str, object]) -> None:
    """A misspelt name, a wrong type and a value out of bounds never get as far as a step."""
    with pytest.raises(ValidationError):
        Params.model_validate(bad)


# load has no test alone: it takes no data.
