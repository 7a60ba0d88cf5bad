from __future__ import annotations

import pytest
from pydantic import BaseModel, SecretStr

from p2p import Pipeline, Task
from p2p.errors import InputRefused
from p2p.pipeline import final_values
from p2p.policy import Policy


class Params(BaseModel):
    month: int = 1


def load(month: int) -> list[int]:
    return [month]


def clean(rows: list[int]) -> list[int]:
    return rows


def pipeline(*tasks: Task) -> Pipeline:
    return Pipeline(name="flights", version=1, params=Params, tasks=tasks)


LOAD = Task(load, inputs=["month"], outputs=["rows"])


def test_steps_joined_by_names_make_a_pipeline_whose_final_outputs_nobody_takes() -> None:
    made = pipeline(LOAD, Task(clean, inputs=["rows"], outputs=["tidy"]))
    assert [t.step for t in made.tasks] == ["load", "clean"]
    assert made.final_outputs() == ("tidy",)


def test_an_input_that_nothing_before_gives_is_refused_with_the_closest_name() -> None:
    with pytest.raises(InputRefused, match=r"takes 'row', which no step before it gives\. Closest name: 'rows'"):
        pipeline(LOAD, Task(clean, inputs=["row"], outputs=["tidy"]))


def test_order_matters() -> None:
    with pytest.raises(InputRefused, match="step 'clean' takes 'rows'"):
        pipeline(Task(clean, inputs=["rows"], outputs=["tidy"]), LOAD)


def test_two_steps_of_one_name_are_refused_and_a_name_of_its_own_cures_it() -> None:
    again = Task(load, inputs=["month"], outputs=["more"])
    with pytest.raises(InputRefused, match="two steps named 'load'"):
        pipeline(LOAD, again)
    renamed = Task(load, inputs=["month"], outputs=["more"], name="load_2")
    assert pipeline(LOAD, renamed).final_outputs() == ("rows", "more")


def test_arguments_go_by_position_or_by_keyword() -> None:
    assert LOAD.arguments({"month": 3, "other": 4}) == ([3], {})
    wired = Task(load, inputs={"month": "start_month"})
    assert wired.arguments({"start_month": 5}) == ([], {"month": 5})
    assert wired.takes == ("start_month",)


@pytest.mark.parametrize(
    ("wiring", "final"),
    [
        ([((), ("a",)), (("a",), ("b",))], ("b",)),
        ([((), ("a",)), (("a",), ("a",))], ("a",)),  # changed in place by the last step
        ([((), ("a", "b")), (("a",), ())], ("b",)),
        ([((), ("a",)), ((), ("b",)), ((), ("a",))], ("b", "a")),
        ([], ()),
    ],
)
def test_final_values_are_those_given_and_not_taken_afterwards(wiring: list, final: tuple) -> None:
    assert final_values(wiring) == final


class Hostile(BaseModel):
    month: int
    note: str = "<img src=x onerror=alert(1)>"
    key: SecretStr = SecretStr("hush")


def test_people_see_the_steps_in_order_what_passes_between_them_and_their_policies() -> None:
    tasks = [
        Task(load, inputs=["month"], outputs=["rows"], policy=Policy(retries=2, timeout=60, retry_on=["OSError"])),
        Task(clean, inputs=["rows"], outputs=["tidy"], over="rows", name="<b>clean</b>"),
    ]
    made = Pipeline(name="<i>flights</i>", version=3, params=Hostile, tasks=tasks)
    assert repr(made).splitlines() == [
        "Pipeline <i>flights</i>@3: 2 steps, gives tidy",
        "  load(month) -> rows  retries 2, retry on OSError, timeout 60",
        "  <b>clean</b>(rows) -> tidy  over rows",
    ]
    page = made._repr_html_()
    for text in (
        "retries 2",
        "over rows",
        "&lt;b&gt;clean&lt;/b&gt;",
        "&lt;i&gt;flights",
        "required",
        "int",
        "&lt;img",
    ):
        assert text in page
    assert not any(active in page for active in ("<img", "<i>", "<b>clean", "hush"))
    assert page.index(">load<") < page.index("clean&lt;/b&gt;<")


def test_a_pipeline_without_steps_or_parameters_can_be_seen() -> None:
    made = Pipeline(name="empty", version=1, params=BaseModel, tasks=[])
    assert repr(made) == "Pipeline empty@1: 0 steps, gives nothing"
    assert "<td" not in made._repr_html_()
