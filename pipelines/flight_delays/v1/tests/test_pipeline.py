"""Holds this version of flight_delays against what its notebook gave. Written by `p2p export`."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from p2p.contracts import broken_rules
from p2p.testing import assert_gives, differences, recorded
from pipelines.flight_delays.v1 import contracts, steps
from pipelines.flight_delays.v1.params import Params
from pipelines.flight_delays.v1.pipeline import pipeline

VERSION = Path(__file__).parent.parent
DATA = Path(__file__).parent / "data"


def test_reproduces_the_notebook() -> None:
    """Every value of every step has the digest that the notebook's run recorded."""
    assert differences(pipeline, VERSION) == []


def test_join_alone() -> None:
    """`join` gives what the notebook's own code gives, on a small recorded example."""
    case = recorded(DATA / "join")
    assert_gives(
        steps.join(case.inputs["flights"], case.inputs["weather"], case.inputs["planes"], case.inputs["airports"]),
        case,
        ("joined",),
    )


def test_clean_alone() -> None:
    """`clean` gives what the notebook's own code gives, on a small recorded example."""
    case = recorded(DATA / "clean")
    assert_gives(steps.clean(case.inputs["joined"], case.inputs["month"], case.inputs["origins"]), case, ("tidy",))


def test_features_alone() -> None:
    """`features` gives what the notebook's own code gives, on a small recorded example."""
    case = recorded(DATA / "features")
    assert_gives(steps.features(case.inputs["tidy"], case.inputs["late_after"]), case, ("table",))


def test_split_alone() -> None:
    """`split` gives what the notebook's own code gives, on a small recorded example."""
    case = recorded(DATA / "split")
    assert_gives(
        steps.split(case.inputs["table"], case.inputs["test_share"], case.inputs["seed"]),
        case,
        (
            "X_train",
            "X_test",
            "y_train",
            "y_test",
        ),
    )


def test_train_alone() -> None:
    """`train` gives what the notebook's own code gives, on a small recorded example."""
    case = recorded(DATA / "train")
    assert_gives(
        steps.train(case.inputs["X_train"], case.inputs["y_train"], case.inputs["seed"]),
        case,
        (
            "model",
            "penalties",
        ),
    )


def test_evaluate_alone() -> None:
    """`evaluate` gives what the notebook's own code gives, on a small recorded example."""
    case = recorded(DATA / "evaluate")
    assert_gives(steps.evaluate(case.inputs["model"], case.inputs["X_test"], case.inputs["y_test"]), case, ("scores",))


def test_figures_alone() -> None:
    """`figures` gives what the notebook's own code gives, on a small recorded example."""
    case = recorded(DATA / "figures")
    assert_gives(
        steps.figures(case.inputs["table"], case.inputs["y_test"], case.inputs["model"], case.inputs["X_test"]),
        case,
        (
            "by_hour",
            "fig_hours",
            "fig_calibration",
        ),
    )


def test_contract_of_flights_rejects_a_missing_column() -> None:
    """A frame without one of its columns is told by that column's name."""
    frame = recorded(DATA / "join").inputs["flights"]
    assert broken_rules(frame, contracts.CONTRACTS["flights"]) == []
    problems = broken_rules(frame.drop(columns=["year"]), contracts.CONTRACTS["flights"])
    assert problems == ["column 'year' is missing"]


def test_contract_of_weather_rejects_a_missing_column() -> None:
    """A frame without one of its columns is told by that column's name."""
    frame = recorded(DATA / "join").inputs["weather"]
    assert broken_rules(frame, contracts.CONTRACTS["weather"]) == []
    problems = broken_rules(frame.drop(columns=["origin"]), contracts.CONTRACTS["weather"])
    assert problems == ["column 'origin' is missing"]


def test_contract_of_planes_rejects_a_missing_column() -> None:
    """A frame without one of its columns is told by that column's name."""
    frame = recorded(DATA / "join").inputs["planes"]
    assert broken_rules(frame, contracts.CONTRACTS["planes"]) == []
    problems = broken_rules(frame.drop(columns=["tailnum"]), contracts.CONTRACTS["planes"])
    assert problems == ["column 'tailnum' is missing"]


def test_contract_of_airports_rejects_a_missing_column() -> None:
    """A frame without one of its columns is told by that column's name."""
    frame = recorded(DATA / "join").inputs["airports"]
    assert broken_rules(frame, contracts.CONTRACTS["airports"]) == []
    problems = broken_rules(frame.drop(columns=["faa"]), contracts.CONTRACTS["airports"])
    assert problems == ["column 'faa' is missing"]


def test_contract_of_joined_rejects_a_missing_column() -> None:
    """A frame without one of its columns is told by that column's name."""
    frame = recorded(DATA / "clean").inputs["joined"]
    assert broken_rules(frame, contracts.CONTRACTS["joined"]) == []
    problems = broken_rules(frame.drop(columns=["year"]), contracts.CONTRACTS["joined"])
    assert problems == ["column 'year' is missing"]


def test_contract_of_tidy_rejects_a_missing_column() -> None:
    """A frame without one of its columns is told by that column's name."""
    frame = recorded(DATA / "features").inputs["tidy"]
    assert broken_rules(frame, contracts.CONTRACTS["tidy"]) == []
    problems = broken_rules(frame.drop(columns=["year"]), contracts.CONTRACTS["tidy"])
    assert problems == ["column 'year' is missing"]


def test_contract_of_table_rejects_a_missing_column() -> None:
    """A frame without one of its columns is told by that column's name."""
    frame = recorded(DATA / "split").inputs["table"]
    assert broken_rules(frame, contracts.CONTRACTS["table"]) == []
    problems = broken_rules(frame.drop(columns=["year"]), contracts.CONTRACTS["table"])
    assert problems == ["column 'year' is missing"]


def test_contract_of_X_train_rejects_a_missing_column() -> None:
    """A frame without one of its columns is told by that column's name."""
    frame = recorded(DATA / "train").inputs["X_train"]
    assert broken_rules(frame, contracts.CONTRACTS["X_train"]) == []
    problems = broken_rules(frame.drop(columns=["hour"]), contracts.CONTRACTS["X_train"])
    assert problems == ["column 'hour' is missing"]


def test_contract_of_X_test_rejects_a_missing_column() -> None:
    """A frame without one of its columns is told by that column's name."""
    frame = recorded(DATA / "evaluate").inputs["X_test"]
    assert broken_rules(frame, contracts.CONTRACTS["X_test"]) == []
    problems = broken_rules(frame.drop(columns=["hour"]), contracts.CONTRACTS["X_test"])
    assert problems == ["column 'hour' is missing"]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param({"no_such_parameter": 1}, id="unknown name"),
        pytest.param({"month": {"an": "object"}}, id="month: {'an': 'object'}"),
        pytest.param({"month": -1000000000.0}, id="month: -1000000000.0"),
        pytest.param({"late_after": {"an": "object"}}, id="late_after: {'an': 'object'}"),
        pytest.param({"late_after": -1000000000.0}, id="late_after: -1000000000.0"),
        pytest.param({"test_share": {"an": "object"}}, id="test_share: {'an': 'object'}"),
        pytest.param({"test_share": -1000000000.0}, id="test_share: -1000000000.0"),
        pytest.param({"origins": {"an": "object"}}, id="origins: {'an': 'object'}"),
        pytest.param({"origins": -1000000000.0}, id="origins: -1000000000.0"),
        pytest.param({"seed": {"an": "object"}}, id="seed: {'an': 'object'}"),
        pytest.param({"seed": -1000000000.0}, id="seed: -1000000000.0"),
    ],
)
def test_refuses_bad_parameters(bad: dict[str, object]) -> None:
    """A misspelt name, a wrong type and a value out of bounds never get as far as a step."""
    with pytest.raises(ValidationError):
        Params.model_validate(bad)


# load has no test alone: it takes no data, so only the whole pipeline shows what it gives.
