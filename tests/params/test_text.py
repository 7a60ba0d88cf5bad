from __future__ import annotations

import pytest

from p2p.errors import ParameterError
from p2p.params import parse_assignments, read_parameters


def test_an_item_is_split_at_its_first_equals_sign() -> None:
    assert parse_assignments(["a=1", "b=x=y", "c=", "d= 2 "]) == {"a": "1", "b": "x=y", "c": "", "d": " 2 "}


@pytest.mark.parametrize(
    ("items", "says"),
    [(["month"], "'month' has no value"), (["=1"], "no name"), (["  =1"], "no name"), (["a=1", "a=2"], "given twice")],
)
def test_an_item_that_is_no_assignment_is_refused(items: list[str], says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        parse_assignments(items)


def test_all_items_at_fault_are_told_and_no_value_is_repeated() -> None:
    with pytest.raises(ParameterError) as caught:
        parse_assignments(["token=hunter2", "token=hunter3", "=hunter4", "open('f')"])
    assert len(caught.value.problems) == 3
    assert "hunter" not in str(caught.value)
    assert "open" not in str(caught.value)


@pytest.mark.parametrize("annotation", ["str", "Annotated[str, Field(max_length=20)]", "SecretStr"])
@pytest.mark.parametrize("text", ["null", "None", "12", '"quoted"', "[1]", ""])
def test_a_text_parameter_takes_the_text_as_it_is(annotation: str, text: str) -> None:
    typed = read_parameters(f"x: {annotation}").parse(text={"x": text}).typed["x"]
    assert getattr(typed, "get_secret_value", lambda: typed)() == text


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        ("Any", "abc", "abc"),
        ("Any", "None", None),
        ("Any", "1e3", 1000.0),
        ("str | None", "true", "true"),
        ("str | None", '"true"', "true"),
        ("str | int", "3", 3),
        ("int | None", "null", None),
        ("Literal['1', '2']", "1", "1"),
        ("list[Any]", "[1, {}]", [1, {}]),
    ],
)
def test_json_comes_before_none_and_the_text_itself(annotation: str, text: str, value: object) -> None:
    typed = read_parameters(f"x: {annotation}").parse(text={"x": text}).typed["x"]
    assert (typed, type(typed)) == (value, type(value))


def test_the_likeliest_reading_is_the_one_complained_about() -> None:
    with pytest.raises(ParameterError, match=r"x\[1\] must be a valid integer"):
        read_parameters("x: list[int]").parse(text={"x": '[1, "a"]'})
