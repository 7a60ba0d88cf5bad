"""Edits of a `steps.py`, brought back into the cells they came from: all of them, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from p2p.drift import pull
from p2p.drift.hand import open_version
from p2p.drift.pulling import Pulled
from p2p.drift.regenerating import regenerate
from p2p.errors import AnalysisError, EvidenceRefused, TargetError
from p2p.export.units import cut_module
from p2p.notebook import read_notebook
from tests.drift.project import CELLS, Project


def pulled(project: Project) -> Pulled:
    """Pull, and see that an export would now give the edited module, by meaning."""
    done = pull("sales", 1, project.settings)
    version = open_version("sales", 1, project.settings)
    made = regenerate(read_notebook(project.path), version.manifest).module
    edited = cut_module(version.read("steps.py"), made.generated)
    assert {n: made.meaning(n) for n in made.units} == {n: edited.meaning(n) for n in edited.units}
    return done


def test_what_was_not_edited_changes_no_byte(project: Project) -> None:
    before = project.path.read_bytes()
    done = pulled(project)
    assert (done.units, done.cells, done.left) == ((), (), ())
    assert project.path.read_bytes() == before


def test_formatting_alone_changes_no_byte(project: Project) -> None:
    before = project.path.read_bytes()
    project.edit(
        {"sales = [1.0, 2.0, 3.0]": "sales = [\n        1.0,2.0, 3.0\n    ]", "_dropped = sales[": "_dropped=sales["}
    )
    assert pulled(project).cells == ()
    assert project.path.read_bytes() == before


def test_a_changed_statement_of_a_cell_leaves_the_others_their_text_and_place(project: Project) -> None:
    project.edit({"sales.sort()": "sales.sort(reverse=True)\n    _n = 3  # new"})
    done = pulled(project)
    assert (done.units, done.cells) == (("load",), (4,))
    assert project.source(4).splitlines() == [
        "%%step load --retries 2", "%matplotlib inline", "sales = [1.0, 2.0,", "         3.0]   # as they came", "",
        "# what nobody wants", "_dropped = sales[:1]", "sales.sort(reverse=True)", "_n = 3  # new", "sales",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "line", "after"),
    [
        (
            "    # what nobody wants\n    _dropped = sales[:1]\n",
            "",
            "sales.sort()",
            "         3.0]   # as they came\n\n",
        ),
        ("    sales = [1.0", "    _a = 1\n    sales = [1.0", "_a = 1", "%matplotlib inline\n"),
        ("    return sales", "    print(sales)\n    return sales", "print(sales)", "sales.sort()\n"),
        ("# what nobody wants", "# what some want", "# what some want", "3.0]   # as they came\n\n"),
        ("_dropped = sales[:1]", "_dropped = '''\n a\n'''", "_dropped = '''\n a\n'''", "# what nobody wants\n"),
    ],
    ids=["removed", "first", "last, before the display", "a comment", "a text of several lines"],
)
def test_statements_find_their_place(project: Project, old: str, new: str, line: str, after: str) -> None:
    project.edit({old: new})
    # a text on several lines is written by ruff with other quotes
    assert pulled(project).cells == (4,)
    assert after + line.replace("'''", '"""') in project.source(4)


def test_a_helper_and_a_constant_go_back_into_their_unmarked_cell(project: Project) -> None:
    project.edit({"VAT = 0.2": "VAT = 0.25", "net * (1 + VAT)": "round(net * (1 + VAT))"})
    done = pulled(project)
    assert (done.units, done.cells) == (("VAT", "gross"), (3,))
    assert project.source(3) == (
        "# the share that the state takes\nVAT = 0.25\nUNUSED = 1\n\ndef gross(net):\n    # with the tax on top\n"
        "    return round(net * (1 + VAT))"
    )


def test_a_function_step_keeps_its_decorator_and_its_indentation(project: Project) -> None:
    project.edit({"    found = sum(tidy)\n": "    found = sum(tidy)\n    if found < 0:\n        found = 0\n"})
    assert pulled(project).cells == (7,)
    assert project.source(7).splitlines() == [
        "@step(timeout=60)", "def total(tidy, month):", "  'The sum.'", "  # not the mean", "  found = sum(tidy)",
        "  if found < 0:", "      found = 0", "", "  return found + month",
    ]  # fmt: skip


def test_a_function_step_gets_a_new_head(project: Project) -> None:
    project.edit({"def total(tidy, month):": "def total(tidy, month, share=1):"})
    pulled(project)
    assert project.source(7).splitlines()[:3] == [
        "@step(timeout=60)", "def total(tidy, month, share=1):", "  'The sum.'"
    ]  # fmt: skip


def test_a_definition_in_one_line_is_written_anew(bare: Project) -> None:
    bare.write("def last(): return 0", "%%step load\nrows = last()", params="")
    bare.export()
    bare.edit({"return 0": "return 1"})
    pulled(bare)
    assert bare.source(1) == "def last():\n    return 1"


def test_an_import_that_the_edit_brings_along_goes_to_the_top_of_the_cell(project: Project) -> None:
    project.edit({"sales.sort()": "sales.sort(key=operator.neg)\n    print(math.e)",
                  "def load": "import math\nimport operator\n\n\ndef load"})  # fmt: skip
    assert pulled(project).cells == (4,)
    assert "%matplotlib inline\nimport operator\nsales = [1.0" in project.source(
        4
    )  # `math` is imported in the first cell


def test_a_computation_between_the_steps_goes_back_into_its_cell(bare: Project) -> None:
    bare.write("%%step load\nrows = [month]", "rows\nbest = max(rows)  # of all\nprint(best)", "%%step use\nout = best")
    bare.export()
    bare.edit({"best = max(rows)": "best = min(rows)"})
    pulled(bare)
    assert bare.source(3) == "rows\nbest = min(rows)  # of all\nprint(best)"


def test_a_helper_that_reads_data_goes_back_from_the_step_it_was_put_into(bare: Project) -> None:
    bare.write("def small(x):\n    return x < month", "%%step load\nrows = [x for x in [1, 2] if small(x)]")
    bare.export()
    bare.edit({"return x < month": "return x <= month", "    rows = ": "    _a = 1\n    rows = "})
    assert pulled(bare).cells == (2, 3)
    assert bare.source(2) == "def small(x):\n    return x <= month"
    assert bare.source(3) == "%%step load\n_a = 1\nrows = [x for x in [1, 2] if small(x)]"


def test_a_helper_that_nothing_uses_any_more_stays_in_the_notebook(project: Project) -> None:
    text = (project.directory() / "steps.py").read_text(encoding="utf-8")
    start, end = text.index("# the share"), text.index("def load")
    project.edit({text[start:end]: "", "gross(s)": "s"})
    done = pulled(project)
    assert done.cells == (6,)
    assert "def gross" in project.source(3)


STYLES: dict[str, Callable[[Any], str]] = {
    "jupyter": lambda d: json.dumps(d, indent=1, ensure_ascii=False, sort_keys=True) + "\n",
    "escapes": lambda d: json.dumps(d, indent=4),
    "one line": lambda d: json.dumps(d, separators=(",", ":")),
    "windows": lambda d: json.dumps(d, indent=2, ensure_ascii=False).replace("\n", "\r\n"),
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("as_list", [True, False])
def test_all_else_in_the_file_stays_byte_for_byte(bare: Project, style: str, as_list: bool) -> None:
    document = json.loads(bare.write(*CELLS).read_text(encoding="utf-8"))
    document["metadata"]["größe"] = 10**30
    for cell in document["cells"]:
        cell["metadata"]["name"] = "\u2028 x"
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"name": "stdout", "output_type": "stream", "text": ["}\n"]}]
        cell["source"] = cell["source"].replace("# as they came", "# as they came: größer")
        if as_list:
            cell["source"] = cell["source"].splitlines(keepends=True)
    text = STYLES[style](document)
    bare.path.write_bytes(text.encode())
    bare.export()
    bare.edit({"sales.sort()": "sales.sort(reverse=True)"})
    assert pulled(bare).cells == (4,)
    after = bare.path.read_bytes().decode()
    assert after == text.replace("sales.sort()", "sales.sort(reverse=True)")


def test_the_notebook_s_own_changes_elsewhere_stay(project: Project) -> None:
    project.rewrite(6, "s>month", "s >= month")
    project.rewrite(4, "sales.sort()", "sales.sort()\nsales[:1]")
    project.edit({"sales.sort()": "sales.sort(reverse=True)"})
    done = pull("sales", 1, project.settings)
    assert (done.units, done.cells) == (("load",), (4,))
    assert "sales.sort(reverse=True)\nsales[:1]\n" in project.source(4)
    assert "s >= month" in project.source(6)


def test_the_same_edit_is_not_pulled_twice(project: Project) -> None:
    project.edit({"sales.sort()": "sales.sort(reverse=True)"})
    pulled(project)
    before = project.path.read_bytes()
    assert pulled(project).cells == ()
    assert project.path.read_bytes() == before


def test_cells_that_moved_are_still_found(project: Project) -> None:
    project.write("print('new')", *CELLS)
    project.edit({"sales.sort()": "sales.sort(reverse=True)"})
    assert pulled(project).cells == (5,)


def test_files_that_an_export_makes_anew_are_named_and_left(project: Project) -> None:
    (project.directory() / "tests" / "test_pipeline.py").write_text("# mine", encoding="utf-8")
    assert pulled(project).left == ("tests/test_pipeline.py",)


def test_a_statement_that_was_kept_for_what_it_does_is_kept_in_the_module_that_is_compared(bare: Project) -> None:
    cells = ("%%step load\nrows = [[2], [1]]", "for row in rows: row.append(3)", "%%step use\nout = rows[0]")
    bare.write(*cells, params="")
    bare.export(kept=[{"cell": 2, "what": "for row in rows:"}])
    assert "row.append(3)" in (bare.directory() / "steps.py").read_text(encoding="utf-8")
    bare.edit({"out = rows[0]": "out = rows[1]"})
    assert pulled(bare).cells == (3,)
    bare.edit({"row.append(3)": "row.append(4)"})
    assert pulled(bare).cells == (2,)
    assert bare.source(2) == "for row in rows:\n    row.append(4)"


def test_a_constant_that_was_kept_in_its_place_goes_back_from_there(bare: Project) -> None:
    bare.write("%%step load\nrows = [2, 1]", "RATE = len('ab')", "%%step use\nout = rows[0] * RATE", params="")
    bare.export(kept=[{"cell": 2, "what": "RATE = len('ab')"}])
    assert "def prepare_RATE" in (bare.directory() / "steps.py").read_text(encoding="utf-8")
    bare.edit({"out = rows[0] * RATE": "out = rows[1] * RATE"})
    assert pulled(bare).cells == (3,)


def refused(project: Project) -> str:
    """Pull, see that it is refused and nothing was written; gives all that was said."""
    before = project.path.read_bytes()
    with pytest.raises(EvidenceRefused) as refusal:
        pull("sales", 1, project.settings)
    assert refusal.value.exit_code == 3
    assert project.path.read_bytes() == before
    return "\n".join(map(str, [refusal.value, *refusal.value.findings]))


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        ({"def gross": "def brutto", "gross(s)": "brutto(s)"}, ["'brutto'", "came from no cell"]),
        ({"def load": "def extra():\n    return 1\n\n\ndef load"}, ["'extra'", "came from no cell"]),
        ({"def load()": "def fetch()"}, ["'fetch'", "came from no cell", "'load'", "the step is gone"]),
        ({"sales.sort()": "if not sales:\n        return []\n    sales.sort()"}, ["'load'", "returns before its end"]),
        ({"return tidy": "return sorted(tidy)"}, ["'clean'", "it would be another one"]),
        ({"    return sales\n": ""}, ["'load'", "its last `return` was added or taken out"]),
        ({"sales.sort()": "sales.sort()\n    extra = 1"}, ["'load'", "`return (extra, sales)` instead of"]),
        ({"gross(s)": "gross(s) + len(UNKNOWN)"}, ["'clean'", "reads 'UNKNOWN'", "could not be exported"]),
        ({"def total(": "@staticmethod\ndef total("}, ["'total'", "its decorators were changed"]),
        ({"def clean(": "@staticmethod\ndef clean("}, ["'clean'", "it would be another one"]),
        ({"def load": "load = 1\n\n\ndef _load"}, ["'_load'", "came from no cell"]),
        ({"def load": "def a(): ...\n\n\ndef b(): ...\n\n\ndef load"}, ["'a'", "'b'", "1 more"]),
        ({"sales.sort()": "sales.sort()\n    sales"}, ["'load'", "`return sales` instead of `sales`"]),
    ],
)  # fmt: skip
def test_an_edit_without_a_place_of_its_own_is_refused(project: Project, edit: dict[str, str], says: list[str]) -> None:
    project.edit(edit)
    said = refused(project)
    assert [text for text in says if text not in said] == [], said


@pytest.mark.parametrize(
    ("cell", "old", "new", "edit", "says"),
    [
        (4, "sales.sort()", "sales.reverse()", {"sales.sort()": "sales.sort(reverse=True)"}, ["'load'", "cell 4"]),
        (4, "# what nobody wants", "# mine", {"sales.sort()": "sales.sort(reverse=True)"}, ["'load'", "cell 4"]),
        (3, "VAT = 0.2", "VAT = 0.1", {"VAT = 0.2": "VAT = 0.3"}, ["'VAT'", "cell 3"]),
        (7, "sum(tidy)", "max(tidy)", {"sum(tidy)": "min(tidy)"}, ["'total'", "cell 7"]),
        (
            6,
            "%%step clean",
            "%%step tidy_up",
            {"gross(s)": "gross(s) + 1"},
            ["'clean'", "cell 6 is step 'tidy_up' now"],
        ),
    ],
    ids=["a cell", "a comment", "a constant", "a function step", "a renamed step"],
)
def test_what_the_notebook_has_changed_too_is_a_conflict(
    project: Project, cell: int, old: str, new: str, edit: dict[str, str], says: list[str]
) -> None:
    project.rewrite(cell, old, new)
    project.edit(edit)
    said = refused(project)
    assert [text for text in says if text not in said] == [], said


def test_a_cell_that_is_gone_is_a_conflict(project: Project) -> None:
    project.write(*CELLS[:-2])
    project.edit({"sum(tidy)": "min(tidy)"})
    assert "'total': it has no cell any more." in refused(project)


def test_an_edit_beside_steps_py_is_taken_only_where_it_follows_from_the_notebook(project: Project) -> None:
    project.edit({"retries=2": "retries=3"}, "pipeline.py")
    assert "pipeline.py: it was edited" in refused(project)
    project.rewrite(4, "--retries 2", "--retries 3")
    assert pulled(project).cells == ()
    project.edit({"month: int = 1": "month: int = 2"}, "params.py")
    assert "params.py: it was edited" in refused(project)


def test_a_statement_that_shares_its_line_is_not_changed(bare: Project) -> None:
    bare.write("%%step load\na = 1; b = 2\nc = a", params="")
    bare.export()
    bare.edit({"b = 2": "b = 3", "c = a": "c = b"})
    assert "`b = 2` shares its line in cell 1" in refused(bare)
    bare.edit({"b = 3": "b = 2"})
    assert pulled(bare).cells == (1,)
    assert bare.source(1) == "%%step load\na = 1; b = 2\nc = b"


class TestVersionsOfBeforeMarksWereWrittenDown:
    def test_are_pulled_while_the_notebook_is_what_it_was(self, bare: Project) -> None:
        bare.write(*CELLS)
        bare.export(units={})
        bare.edit({"sales.sort()": "sales.sort(reverse=True)"})
        assert pulled(bare).cells == (4,)
        assert pulled(bare).cells == ()

    def test_are_refused_when_it_has_changed(self, bare: Project) -> None:
        bare.write(*CELLS)
        bare.export(units={})
        bare.rewrite(6, "s>month", "s<month")
        bare.edit({"sales.sort()": "sales.sort(reverse=True)"})
        assert "does not tell what each function was" in refused(bare)


def test_what_cannot_be_read_is_refused_as_input(project: Project) -> None:
    with pytest.raises(TargetError, match="has no version 7"):
        pull("sales", 7, project.settings)
    project.edit({"sales.sort()": "sales.sort("})
    with pytest.raises(AnalysisError, match=r"steps\.py' cannot be read"):
        pull("sales", 1, project.settings)
    project.path.unlink()
    with pytest.raises(TargetError, match="is not there"):
        pull("sales", 1, project.settings)
