from __future__ import annotations

import datetime
import json
import math
import traceback
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from p2p.errors import ParameterError
from p2p.params import read_parameters

SOURCE = """
month: Annotated[int, Field(ge=1, le=12)] = 1  # 1-12
share = 0.2
kind: Literal["fast", "exact"] = "fast"
start: date = date(2024, 1, 1)
token: SecretStr = SecretStr("default-secret")
"""


def problems(source: str, values: dict[Any, Any] | None = None, **text: str) -> list[str]:
    with pytest.raises(ParameterError) as caught:
        read_parameters(source).parse(values or {}, text=text)
    return caught.value.problems


def test_defaults_hold_where_nothing_is_given() -> None:
    values = read_parameters(SOURCE).parse()
    assert values.typed["month"] == 1
    assert values.typed["start"] == datetime.date(2024, 1, 1)
    assert values.overridden == ()


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    assert problems(SOURCE, mnoth="2") == ["Unknown parameter 'mnoth'. Did you mean 'month'?"]


def test_an_unknown_name_near_none_is_answered_with_all() -> None:
    (problem,) = problems(SOURCE, zzz="2")
    assert problem == "Unknown parameter 'zzz'. Known parameters: month, share, kind, start, token."


@pytest.mark.parametrize("name", ["x=1;open('f')", "month\nimport os", "month;", "", "m" * 500, 5, None])
def test_a_name_that_is_no_identifier_is_refused_and_not_repeated(name: Any) -> None:
    for message in (problems(SOURCE, {name: 1})[0], problems(SOURCE, None, **{str(name): "1"})[0]):
        assert "Unknown parameter" in message
        assert "open(" not in message
        assert "import" not in message
        assert len(message) < 200


def test_a_dashed_name_is_answered_with_the_real_one() -> None:
    assert problems("test_share = 0.2", **{"test-share": "1"})[0].endswith("Did you mean 'test_share'?")


@pytest.mark.parametrize(("values", "text"), [({"month": 13}, {}), ({}, {"month": "13"})])
def test_a_bound_that_is_broken_is_named_with_the_value(values: dict[str, Any], text: dict[str, str]) -> None:
    assert problems(SOURCE, values, **text) == ["month must be less than or equal to 12, got 13."]


def test_wrong_types_are_named() -> None:
    assert problems(SOURCE, {"month": "a", "kind": "slow"}) == [
        "month must be a valid integer, unable to parse string as an integer, got 'a'.",
        "kind must be 'fast' or 'exact', got 'slow'.",
    ]


def test_where_in_a_value_the_fault_is_can_be_read() -> None:
    found = problems("x: dict[str, list[int]]", {"x": {"a": [1, "b"], "a b": ["c"]}})
    assert [problem.split(" must")[0] for problem in found] == ["x.a[1]", "x['a b'][0]"]


def test_a_union_that_fits_nowhere_is_one_problem() -> None:
    assert len(problems("x: int | list[int]", {"x": "a"})) == 1


def test_a_required_parameter_that_is_missing_is_named() -> None:
    assert problems("a: int\nb = 1") == ["Parameter 'a' is required: it has no default."]


def test_all_problems_are_told_at_once() -> None:
    found = problems("a: int\n" + SOURCE, {"mnoth": 1, "kind": 3, "share": Path("x")}, month="0")
    assert len(found) == 5


def test_a_bad_default_is_reported_as_such_and_may_be_overridden() -> None:
    source = "month: Annotated[int, Field(le=12)] = 13"
    assert problems(source) == ["The default of month must be less than or equal to 12, got 13."]
    assert read_parameters(source).parse({"month": 2}).typed == {"month": 2}


class Loud:
    def __str__(self) -> str:
        return "1); import os"


class MyInt(int):
    pass


class MyStr(str):
    __slots__ = ()


@pytest.mark.parametrize("value", [MyInt(1), MyStr("a"), Path("a"), Loud(), b"a", (1,), {1}, Decimal(1), object,
                                   [MyInt(1)], {"a": [Loud()]}, {MyStr("a"): 1}])  # fmt: skip  # a short table
@pytest.mark.parametrize("annotation", ["Any", "int", "list", "str", "dict[str, Any]"])
def test_values_are_taken_by_exact_type_only(value: object, annotation: str) -> None:
    (problem,) = problems(f"x: {annotation}", {"x": value})
    assert "x may not hold a value of type " in problem
    assert "import os" not in problem


def test_a_numpy_float_is_refused() -> None:
    numpy = pytest.importorskip("numpy")
    assert "numpy.float64" in problems("x = 0.5", {"x": numpy.float64(1)})[0]


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        ("date", datetime.date(2024, 1, 1)),
        ("date | None", datetime.date(2024, 1, 1)),
        ("Path", Path("a")),
        ("list[date]", [datetime.date(2024, 1, 1)]),
        ("tuple[int, int]", (1, 2)),
        ("set[int]", {1}),
        ("Decimal", Decimal("0.1")),
        ("SecretStr", SecretStr("s")),
    ],
)
def test_a_value_of_the_declared_type_is_taken(annotation: str, value: object) -> None:
    assert read_parameters(f"x: {annotation}").parse({"x": value}).typed == {"x": value}


def test_what_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert "nested deeper" in problems("x: Any", {"x": loop})[0]


@pytest.mark.parametrize(("source", "value"), [("x: int", True), ("x: float", False), ("x: int | None", True)])
def test_true_and_false_are_no_numbers(source: str, value: bool) -> None:
    assert "must be a number" in problems(source, {"x": value})[0]
    assert problems(source, x=json.dumps(value))


@pytest.mark.parametrize("source", ["x: date", "x: datetime", "x: time | None"])
@pytest.mark.parametrize("text", ["2024", "0", "1.5"])
def test_a_bare_number_is_no_date(source: str, text: str) -> None:
    assert "must be written like" in problems(source, x=text)[0]
    assert "must be written like" in problems(source, {"x": json.loads(text)})[0]


def test_text_from_the_command_line_wins_over_a_file() -> None:
    assert read_parameters("x = 1").parse({"x": 2}, text={"x": "3"}).typed == {"x": 3}


def test_extra_fields_are_forbidden_by_the_model_itself() -> None:
    with pytest.raises(ValueError, match="Extra inputs"):
        read_parameters("x = 1").model(y=1)


@pytest.mark.parametrize(
    ("source", "given_values", "text"),
    [
        ("x: Annotated[SecretStr, Field(min_length=30)]", {}, {"x": "hunter2"}),
        ("x: SecretStr", {"x": ["hunter2"]}, {}),
        ("x: SecretStr | None", {"x": {"hunter2": 1}}, {}),
        ("x: dict[str, SecretStr]", {"x": {"hunter2": 5}}, {}),
        ("x: list[SecretStr]", {}, {"x": "hunter2"}),
        ("x: Annotated[SecretStr, Field(min_length=30)] = 'hunter2'", {}, {}),
    ],
)
def test_a_secret_never_appears_in_messages_or_tracebacks(source: str, given_values: Any, text: Any) -> None:
    with pytest.raises(ParameterError) as caught:
        read_parameters(source).parse(given_values, text=text)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))
    assert "hunter2" not in str(caught.value.fields)
    assert caught.value.__context__ is None


def test_a_secret_inside_a_model_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vault_for_params.py").write_text(
        "from pydantic import BaseModel, SecretStr, field_validator\n"
        "class Vault(BaseModel):\n    key: SecretStr\n    size: int = 1\n"
        "    @field_validator('key')\n    @classmethod\n    def check(cls, value):\n"
        "        raise ValueError(f'bad {value.get_secret_value()}')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    (problem,) = problems("from vault_for_params import Vault\nx: Vault", {"x": {"key": "hunter2", "size": 1}})
    assert problem == "x is not valid."


def test_a_validator_that_breaks_down_is_named_as_the_cause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_for_params.py").write_text(
        "from pydantic import BaseModel, field_validator\n"
        "class Broken(BaseModel):\n    size: int = 1\n"
        "    @field_validator('size')\n    @classmethod\n    def check(cls, value):\n        return {}[value]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    found = problems("a = 1\nfrom broken_for_params import Broken\nx: Broken", {"x": {"size": 2}})
    assert found == ["x cannot be checked: its type raised KeyError."]


def test_describe_tells_type_default_help_and_bounds() -> None:
    described = {entry["name"]: entry for entry in read_parameters(SOURCE + "out: Path\n").describe()}
    assert described["month"] == {
        "name": "month",
        "type": "Annotated[int, Field(ge=1, le=12)]",
        "default": 1,
        "required": False,
        "help": "1-12",
        "bounds": {"ge": 1, "le": 12},
    }
    assert (described["share"]["type"], described["share"]["default"]) == ("float", 0.2)
    assert described["kind"]["bounds"] == {"choices": ["fast", "exact"]}
    assert described["start"]["default"] == "2024-01-01"
    assert (described["out"]["required"], described["out"]["default"]) == (True, None)
    assert "default-secret" not in json.dumps(described)


def test_a_description_in_the_annotation_is_the_help() -> None:
    (entry,) = read_parameters('x: Annotated[int, Field(gt=0, description="how many")] = 1').describe()
    assert (entry["help"], entry["bounds"]) == ("how many", {"gt": 0})


def test_bounds_inside_a_union_are_found() -> None:
    (entry,) = read_parameters("x: Annotated[int, Field(ge=1)] | None = None").describe()
    assert entry["bounds"] == {"ge": 1}


def same(a: object, b: object) -> bool:
    """Equal in value and exact type, all the way down; NaN equals NaN, and 0.0 is not -0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, float) and isinstance(b, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    return a == b


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSONS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=5
)
NUMBERS = read_parameters("f = 0.5\ni = 1")
ROUND = read_parameters("any: Any = None\nitems: list = []\ntable: dict = {}\ntyped: dict[str, list[Any]] = {}")


@settings(deadline=None)  # time is the machine's business
@given(any=JSONS, items=st.lists(JSONS, max_size=3), table=st.dictionaries(st.text(), JSONS, max_size=3))
def test_plain_values_come_through_text_and_data_exactly(any: Any, items: list[Any], table: dict[str, Any]) -> None:
    values = {"any": any, "items": items, "table": table}
    by_text = ROUND.parse(text={name: json.dumps(value) for name, value in values.items()})
    by_data = ROUND.parse(values)
    for parsed in (by_text, by_data):
        assert same(parsed.literals(), values)
        assert parsed.converted() == {}
        assert all(same(parsed.typed[name], value) for name, value in values.items())


@settings(deadline=None)  # time is the machine's business
@given(st.dictionaries(st.text(), st.lists(JSONS, max_size=3), max_size=2))
def test_plain_values_come_through_a_nested_type_exactly(table: dict[str, list[Any]]) -> None:
    assert same(ROUND.parse(text={"typed": json.dumps(table)}).typed["typed"], table)


@settings(deadline=None)  # time is the machine's business
@given(st.floats(), st.integers())
def test_numbers_come_through_their_own_types_exactly(number: float, whole: int) -> None:
    values = NUMBERS.parse(text={"f": json.dumps(number), "i": json.dumps(whole)})
    assert same(values.literals(), {"f": number, "i": whole})


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, -0.0, 10**400, -(2**64)])
def test_odd_numbers_are_exact_in_typed_and_literals(number: float) -> None:
    values = read_parameters("x: Any = None").parse({"x": number})
    assert same(values.typed["x"], number)
    assert same(values.literals()["x"], number)


def test_the_model_is_a_pydantic_class() -> None:
    assert issubclass(read_parameters("x = 1").model, BaseModel)
