"""Holds this version of wine against what its notebook gave. Written by `p2p export`."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from p2p.contracts import broken_rules
from p2p.testing import assert_gives, differences, recorded
from pipelines.wine.v1 import contracts, steps
from pipelines.wine.v1.params import Params
from pipelines.wine.v1.pipeline import pipeline

VERSION = Path(__file__).parent.parent
DATA = Path(__file__).parent / "data"


def test_reproduces_the_notebook() -> None:
    """Every value of every step has the digest that the notebook's run recorded."""
    assert differences(pipeline, VERSION) == []


def test_scale_alone() -> None:
    """`scale` gives what the notebook's own code gives, on a small recorded example."""
    case = recorded(DATA / "scale")
    assert_gives(
        steps.scale(case.inputs["wines"]),
        case,
        (
            "kinds",
            "measured",
            "wines",
        ),
    )


def test_group_alone() -> None:
    """`group` gives what the notebook's own code gives, on a small recorded example."""
    case = recorded(DATA / "group")
    assert_gives(
        steps.group(
            case.inputs["groups"],
            case.inputs["seed"],
            case.inputs["wines"],
            case.inputs["measured"],
            case.inputs["kinds"],
        ),
        case,
        (
            "model",
            "agreement",
            "wines",
        ),
    )


def test_what_makes_groups_alone() -> None:
    """`what_makes_groups` gives what the notebook's own code gives, on a small recorded example."""
    case = recorded(DATA / "what_makes_groups")
    assert_gives(steps.what_makes_groups(case.inputs["wines"]), case, ("profile",))


def test_contract_of_wines_rejects_a_missing_column() -> None:
    """A frame without one of its columns is told by that column's name."""
    frame = recorded(DATA / "scale").inputs["wines"]
    assert broken_rules(frame, contracts.CONTRACTS["wines"]) == []
    problems = broken_rules(frame.drop(columns=["alcohol"]), contracts.CONTRACTS["wines"])
    assert problems == ["column 'alcohol' is missing"]


def test_contract_of_measured_rejects_a_missing_column() -> None:
    """A frame without one of its columns is told by that column's name."""
    frame = recorded(DATA / "group").inputs["measured"]
    assert broken_rules(frame, contracts.CONTRACTS["measured"]) == []
    problems = broken_rules(frame.drop(columns=["alcohol"]), contracts.CONTRACTS["measured"])
    assert problems == ["column 'alcohol' is missing"]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param({"no_such_parameter": 1}, id="unknown name"),
        pytest.param({"groups": {"an": "object"}}, id="groups: {'an': 'object'}"),
        pytest.param({"groups": 2.5}, id="groups: 2.5"),
        pytest.param({"seed": {"an": "object"}}, id="seed: {'an': 'object'}"),
        pytest.param({"seed": 2.5}, id="seed: 2.5"),
    ],
)
def test_refuses_bad_parameters(bad: dict[str, object]) -> None:
    """A misspelt name, a wrong type and a value out of bounds never get as far as a step."""
    with pytest.raises(ValidationError):
        Params.model_validate(bad)


# load has no test alone: it takes no data, so only the whole pipeline shows what it gives.
