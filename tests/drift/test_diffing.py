"""Two versions beside each other: what is told of each part, and what is not told as a change."""

from __future__ import annotations

from typing import Any

import pytest

from p2p.drift import VersionDiff, diff
from p2p.errors import AnalysisError, TargetError
from tests.drift.project import CELLS, PARAMS, Project


def compared(project: Project, *cells: str, params: str = PARAMS, **facts: Any) -> VersionDiff:
    """Version 1, beside a second one of these cells."""
    project.write(*cells, params=params)
    project.export(2, **facts)
    return diff(("sales", 1), ("sales", 2), project.settings)


def changed(**cells: tuple[str, str]) -> list[str]:
    """The cells of the project's notebook, with a text of the n-th (`c4`) replaced."""
    made = list(CELLS)
    for name, (old, new) in cells.items():
        index = int(name[1:])
        assert old in made[index]
        made[index] = made[index].replace(old, new)
    return made


def steps(found: VersionDiff) -> dict[str, tuple[str, ...]]:
    return {step.name: step.changes for step in found.steps}


def test_a_version_of_the_same_notebook_is_the_same(project: Project) -> None:
    found = compared(project, *CELLS)
    assert found.is_same
    assert steps(found) == {"load": ("same",), "clean": ("same",), "total": ("same",)}
    assert {value.verdict for value in found.values} == {"equal"}


def test_layout_comments_prose_and_locals_are_no_change(project: Project) -> None:
    cells = changed(
        c2=("The data", "Other data"), c3=("_dropped", "_kept"),
        c5=("for s in sales if s>month", "for x in sales if x > month"),
        c6=("found", "sum_of_all"), c1=("# with", "# plus"),
    )  # fmt: skip
    cells[5] = cells[5].replace("gross(s)", "gross(x)")
    assert compared(project, "1", *cells).is_same


def test_an_input_that_is_read_earlier_is_no_change(bare: Project) -> None:
    bare.write("%%step load\nrows = [1]", "%%step use\na = len(rows)\nout = a + month")
    bare.export()
    found = compared(bare, "%%step load\nrows = [1]", "%%step use\na = len(rows)\nout = month + a")
    assert steps(found)["use"] == ("code",)
    bare.write("%%step load\nrows = [1]", "%%step use(month, rows)\na = len(rows)\nout = a + month")
    bare.export(3)
    assert diff(("sales", 1), ("sales", 3), bare.settings).is_same


def test_changed_code_is_shown_as_a_diff(project: Project) -> None:
    found = compared(project, *changed(c5=("s>month", "s>=month")))
    assert steps(found) == {"load": ("same",), "clean": ("code",), "total": ("same",)}
    lines = found.steps[1].diff.splitlines()
    assert "-    tidy = [gross(s) for s in sales if s > month]" in lines
    assert "+    tidy = [gross(s) for s in sales if s >= month]" in lines


def test_added_removed_and_renamed_steps_are_told_apart(project: Project) -> None:
    cells = changed(c3=("%%step load", "%%step fetch"))
    found = compared(project, "1", *cells[:-2], "%%step last\nend = tidy[-1]")
    assert steps(found) == {"fetch": ("renamed",), "clean": ("same",), "last": ("added",), "total": ("removed",)}
    assert found.steps[0].renamed_from == "load"
    assert {value.step for value in found.values} == {"fetch", "clean"}


def test_a_step_that_was_renamed_and_changed_is_known_by_its_cell(project: Project) -> None:
    found = compared(project, *changed(c3=("%%step load --retries 2", "%%step fetch\nprint()")))
    assert steps(found)["fetch"] == ("renamed", "code", "policy")


def test_wiring_and_policy_are_told_in_words(project: Project) -> None:
    cells = changed(c3=("--retries 2", "--retries 3"), c5=("%%step clean(sales, month) -> tidy", "%%step clean"),
                    c6=("timeout=60", "timeout=9"))  # fmt: skip
    cells[5] += "\nmore = month"
    found = compared(project, *cells)
    assert steps(found) == {"load": ("policy",), "clean": ("code", "outputs"), "total": ("policy",)}
    assert found.steps[0].details == ("policy: Policy(retries=2) → Policy(retries=3)",)
    assert found.steps[1].details == ("outputs: tidy → tidy, more",)


def test_helpers_are_compared_too(project: Project) -> None:
    cells = changed(c1=("1 + VAT", "1 - VAT"), c5=("gross(s)", "gross(s) + EXTRA"))
    found = compared(project, "EXTRA = 1", *cells)
    assert [(h.name, h.change) for h in found.helpers] == [("gross", "changed"), ("EXTRA", "added")]
    assert "+    return net * (1 - VAT)" in found.helpers[0].diff


@pytest.mark.parametrize(
    ("params", "change"),
    [
        ("month: int = 2", ("month", "default", "1", "2")),
        ("month: float = 1", ("month", "type", "int", "float")),
        ("month: int", ("month", "default", "1", "none: it must be given")),
        ("from pydantic import Field\nfrom typing import Annotated\nmonth: Annotated[int, Field(gt=0, lt=13)] = 1",
         ("month", "bounds", "", "gt=0, lt=13")),
        ("month: int = 1\nyear: int = 2", ("year", "added", "", "int")),
    ],
)  # fmt: skip
def test_parameters_are_compared_by_type_bounds_and_default(
    project: Project, params: str, change: tuple[str, ...]
) -> None:
    found = compared(project, *CELLS, params=params)
    assert change in [(c.name, c.change, c.before, c.after) for c in found.parameters]


def test_a_parameter_that_is_gone_is_told(project: Project) -> None:
    project.write(*CELLS, params="month: int = 1\nyear: int = 2")
    project.export(2)
    found = diff(("sales", 2), ("sales", 1), project.settings)
    assert [(c.name, c.change) for c in found.parameters] == [("year", "removed")]


FRAME = """import pandera.pandas as pa

TIDY = pa.DataFrameSchema({"a": pa.Column("%s")})
CONTRACTS = {"tidy": TIDY, "n": %s}
"""


def test_contracts_are_compared_by_the_value_s_name(bare: Project) -> None:
    bare.write(*CELLS)
    bare.export(contracts=FRAME % ("int64", "int"))
    bare.export(2, contracts=FRAME % ("float64", 'int, "new": list'))
    found = diff(("sales", 1), ("sales", 2), bare.settings)
    assert [(c.name, c.change) for c in found.contracts] == [("tidy", "changed"), ("new", "added")]
    assert '+pa.DataFrameSchema({"a": pa.Column("float64")})' in found.contracts[0].diff
    assert "import" not in found.contracts[0].diff


def test_values_are_compared_on_the_same_parameters_only(project: Project) -> None:
    project.digests["tidy"] = "other"
    found = compared(project, *CELLS)
    assert [(v.step, v.value) for v in found.values if v.verdict == "unequal"] == [("clean", "tidy")]
    assert not found.is_same
    project.export(3, params={"month": 7})
    other = diff(("sales", 1), ("sales", 3), project.settings)
    assert other.values == ()
    assert other.values_note == "they were recorded on different parameters: month was 1, is 7"


def test_a_new_parameter_keeps_the_values_comparable(project: Project) -> None:
    found = compared(project, *CELLS, params="month: int = 1\nyear: int = 2")
    assert found.values
    assert found.values_note == ""


def test_an_edit_by_hand_is_compared_and_said(project: Project) -> None:
    project.write(*CELLS)
    project.export(2)
    project.edit({"sales.sort()": "sales.reverse()"}, version=2)
    found = diff(("sales", 1), ("sales", 2), project.settings)
    assert found.notes == ("sales@2 was edited by hand: steps.py",)
    assert steps(found)["load"] == ("code",)


def test_what_is_not_there_is_refused(project: Project) -> None:
    with pytest.raises(TargetError, match="has no version 9"):
        diff(("sales", 1), ("sales", 9), project.settings)
    (project.directory() / "steps.py").unlink()
    with pytest.raises(AnalysisError, match="cannot be read"):
        diff(("sales", 1), ("sales", 1), project.settings)
