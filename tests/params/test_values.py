from __future__ import annotations

import dataclasses
import datetime
import json
import pickle
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from p2p.params import Values, read_parameters

SOURCE = """
month = 1
start: date = date(2024, 1, 1)
at: datetime = datetime(2024, 1, 1)
out: Path = Path("out")
pair: tuple[int, int] = (1, 2)
tags: set[str] = {"b", "a"}
price: Decimal = Decimal("0.10")
token: SecretStr = SecretStr("default-secret")
keys: dict[str, SecretStr] = {}
other = "left alone"
"""
TEXT = {
    "month": "2",
    "start": "2024-02-01",
    "at": "2024-02-01T10:30",
    "out": "a/b",
    "pair": "[3, 4]",
    "tags": '["z", "y"]',
    "price": "0.20",
    "token": "hunter2",
    "keys": '{"a": "hunter3"}',
}


@pytest.fixture
def values() -> Values:
    return read_parameters(SOURCE).parse(text=TEXT)


def test_literals_hold_what_was_given_as_plain_data(values: Values) -> None:
    assert values.literals() == {
        "month": 2,
        "start": "2024-02-01",
        "at": "2024-02-01T10:30:00",
        "out": str(Path("a/b")),
        "pair": [3, 4],
        "tags": ["y", "z"],
        "price": "0.20",
        "token": "**********",
        "keys": {"a": "**********"},
    }


def test_plain_holds_every_parameter_and_no_secret(values: Values) -> None:
    assert values.plain() == {**values.literals(), "other": "left alone"}
    record = json.dumps(read_parameters(SOURCE).parse().plain()) + json.dumps(values.plain()) + repr(values)
    assert not any(secret in record for secret in ("hunter2", "hunter3", "default-secret"))


def test_converted_holds_what_a_literal_cannot_say(values: Values) -> None:
    assert values.converted() == {
        "start": datetime.date(2024, 2, 1),
        "at": datetime.datetime(2024, 2, 1, 10, 30),
        "out": Path("a/b"),
        "pair": (3, 4),
        "tags": {"y", "z"},
        "price": Decimal("0.20"),
        "token": SecretStr("hunter2"),
        "keys": {"a": SecretStr("hunter3")},
    }


def test_secrets_holds_the_real_text_of_given_secrets_only(values: Values) -> None:
    assert values.secrets() == {"token": "hunter2"}
    assert read_parameters(SOURCE).parse().secrets() == {}


def test_secret_texts_holds_every_secret_at_any_depth(values: Values) -> None:
    assert values.secret_texts() == {"hunter2", "hunter3"}
    assert read_parameters(SOURCE).parse().secret_texts() == {"default-secret"}


def test_what_was_left_alone_is_not_overridden(values: Values) -> None:
    assert values.overridden == tuple(TEXT)


def test_keys_that_are_no_text_are_told_apart() -> None:
    parsed = read_parameters("x: dict[int, str]").parse({"x": {"1": "a"}})
    assert (parsed.literals(), parsed.converted()) == ({"x": {"1": "a"}}, {"x": {1: "a"}})


def test_literals_parse_to_the_same_values_again(values: Values) -> None:
    given = {name: value for name, value in values.literals().items() if name not in {"token", "keys"}}
    again = read_parameters(SOURCE).parse(given)
    assert all(again.typed[name] == values.typed[name] for name in given)


def test_values_are_frozen_and_survive_pickling(values: Values) -> None:
    assert pickle.loads(pickle.dumps(values)) == values
    with pytest.raises(dataclasses.FrozenInstanceError):
        values.overridden = ()  # type: ignore[misc]  # the point of the test
