"""Holds this version of penguins against what its notebook gave. Written by `p2p export`."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from p2p.contracts import broken_rules
from p2p.testing import assert_gives, differences, recorded
from pipelines.penguins.v1 import contracts, steps
from pipelines.penguins.v1.params import Params
from pipelines.penguins.v1.pipeline import pipeline

VERSION = Path(__file__).parent.parent
DATA = Path(__file__).parent / "data"


def test_reproduces_the_notebook() -> None:
    """Every value of every step has the digest that the notebook's run recorded."""
    assert differences(pipeline, VERSION) == []


def test_clean_alone() -> None:
    """`clean` gives what the notebook's own code gives, on a small recorded example."""
    case = recorded(DATA / "clean")
    assert_gives(steps.clean(case.inputs["penguins"], case.inputs["species"], case.inputs["min_mass"]), case, ("tidy",))


def test_fit_alone() -> None:
    """`fit` gives what the notebook's own code gives, on a small recorded example."""
    case = recorded(DATA / "fit")
    assert_gives(steps.fit(case.inputs["tidy"]), case, ("line",))


def test_contract_of_penguins_rejects_a_missing_column() -> None:
    """A frame without one of its columns is told by that column's name."""
    frame = recorded(DATA / "clean").inputs["penguins"]
    assert broken_rules(frame, contracts.CONTRACTS["penguins"]) == []
    problems = broken_rules(frame.drop(columns=["species"]), contracts.CONTRACTS["penguins"])
    assert problems == ["column 'species' is missing"]


def test_contract_of_tidy_rejects_a_missing_column() -> None:
    """A frame without one of its columns is told by that column's name."""
    frame = recorded(DATA / "fit").inputs["tidy"]
    assert broken_rules(frame, contracts.CONTRACTS["tidy"]) == []
    problems = broken_rules(frame.drop(columns=["species"]), contracts.CONTRACTS["tidy"])
    assert problems == ["column 'species' is missing"]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param({"no_such_parameter": 1}, id="unknown name"),
        pytest.param({"species": {"an": "object"}}, id="species: {'an': 'object'}"),
        pytest.param({"species": -1000000000.0}, id="species: -1000000000.0"),
        pytest.param({"min_mass": {"an": "object"}}, id="min_mass: {'an': 'object'}"),
    ],
)
def test_refuses_bad_parameters(bad: dict[str, object]) -> None:
    """A misspelt name, a wrong type and a value out of bounds never get as far as a step."""
    with pytest.raises(ValidationError):
        Params.model_validate(bad)


# load has no test alone: it takes no data, so only the whole pipeline shows what it gives.
