"""The form of a notebook's parameters."""

from __future__ import annotations

from typing import Any

import pytest

from p2p.params import ParameterSet, read_parameters
from p2p.widgets.form import fields, problems

CELL = """
month: Annotated[int, Field(ge=1, le=12)] = 1  # the month of the flights
share: Annotated[float, Field(gt=0, lt=1)] = 0.2
model: Literal["tree", "line"] = "tree"
fast: bool = False
since: datetime.date = datetime.date(2024, 1, 31)
note: str = "a"
limit: int | None = None
token: SecretStr = SecretStr("hidden-one")
names: list[str] = ["a", "b"]
needed: int
"""
IMPORTS = ["import datetime\nfrom typing import Annotated, Literal\nfrom pydantic import Field, SecretStr"]


@pytest.fixture
def parameters() -> ParameterSet:
    return read_parameters(CELL, IMPORTS)


def by_name(parameters: ParameterSet) -> dict[str, dict[str, Any]]:
    return {field["name"]: field for field in fields(parameters)}


def test_each_type_has_the_control_that_fits_it(parameters: ParameterSet) -> None:
    found = by_name(parameters)
    assert {name: field["control"] for name, field in found.items()} == {
        "month": "number", "share": "number", "model": "choice", "fast": "checkbox", "since": "date", "note": "text",
        "limit": "number", "token": "password", "names": "json", "needed": "number",
    }  # fmt: skip
    assert (found["month"]["min"], found["month"]["max"], found["month"]["whole"]) == (1, 12, True)
    assert (found["share"]["above"], found["share"]["below"], found["share"]["whole"]) == (0, 1, False)
    assert found["model"]["choices"] == ["tree", "line"]
    assert (found["limit"]["optional"], found["month"]["optional"]) == (True, False)
    assert (found["needed"]["required"], found["needed"]["text"]) == (True, "")
    assert found["month"]["help"] == "the month of the flights"
    assert (found["month"]["bounds"], found["note"]["bounds"]) == ("at least 1, at most 12", "")
    assert [found[name]["type"] for name in ("month", "model", "limit")] == [
        "int", 'Literal["tree", "line"]', "int | None",
    ]  # fmt: skip


def test_what_a_field_holds_at_first_is_its_default_and_no_secret(parameters: ParameterSet) -> None:
    found = by_name(parameters)
    texts = {name: field["text"] for name, field in found.items()}
    assert texts == {
        "month": "1", "share": "0.2", "model": "tree", "fast": "false", "since": "2024-01-31", "note": "a",
        "limit": "null", "token": "", "names": '["a", "b"]', "needed": "",
    }  # fmt: skip
    assert "hidden-one" not in str(found)


def test_what_a_field_holds_at_first_is_taken_back(parameters: ParameterSet) -> None:
    texts = {name: field["text"] for name, field in by_name(parameters).items()}
    assert problems(parameters, {**texts, "token": None, "needed": "3"}) == {}
    parsed = parameters.parse(text={**{n: t for n, t in texts.items() if n != "token"}, "needed": "3"})
    assert parsed.typed["limit"] is None
    assert parsed.typed["names"] == ["a", "b"]


def test_each_wrong_field_is_told_by_itself(parameters: ParameterSet) -> None:
    found = problems(parameters, {"month": "13", "share": "much", "model": "forest", "since": "soon", "limit": "0"})
    assert set(found) == {"month", "share", "model", "since", "needed"}
    assert found["month"] == "month must be less than or equal to 12, got 13."
    assert found["needed"] == "Parameter 'needed' is required: it has no default."
    assert "tree" in found["model"]


def test_a_wrong_secret_is_not_repeated() -> None:
    parameters = read_parameters(
        "token: Annotated[SecretStr, Field(min_length=12)] = SecretStr('long-enough-one')", IMPORTS
    )
    found = problems(parameters, {"token": "sesame"})
    assert set(found) == {"token"}
    assert "sesame" not in found["token"]
