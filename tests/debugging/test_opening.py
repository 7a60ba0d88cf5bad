"""A step of a past run as a notebook: what it has, and that what it has from outside is text."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from typing import Any

import pytest

from p2p.debugging import debug, way_in
from p2p.errors import InputRefused, TargetError
from p2p.history import runs
from p2p.secrets import MASK
from p2p.settings import Settings
from tests.building import write_notebook
from tests.debugging.told import HOSTILE, ToldStep, ran, read, source, tell
from tests.drift.project import Project

LOAD = ToldStep("load", outputs={"sales": [1.0, 2.0, 3.0]})
CLEAN = ToldStep("clean", {"sales": [1.0, 2.0], "month": 5}, error="ValueError: no sales")
TOTAL = ToldStep("total", {"tidy": [], "month": 0}, error="ZeroDivisionError: by zero", function="total")


def told(settings: Settings, *steps: ToldStep, **facts: Any) -> str:
    """A notebook's run that has kept its own copy of the notebook."""
    key = tell(settings, *steps, **{"params": {"month": 5}, **facts})
    shutil.copyfile(settings.root / "notebooks" / "sales.ipynb", settings.runs / key / "sales.ipynb")
    return key


def test_a_cell_opens_with_its_inputs_and_what_its_code_uses_and_nothing_else(project: Project) -> None:
    key = told(project.settings, LOAD, CLEAN)
    path = debug(key, project.settings).path
    assert path.parent == project.settings.root / "debug"
    assert source(path, "p2p-debug") == project.source(6).partition("\n")[2]
    assert source(path, "p2p-above").splitlines() == [
        "# the share that the state takes", "VAT = 0.2", "", "", "def gross(net):", "    # with the tax on top",
        "    return net * (1 + VAT)",
    ]  # fmt: skip
    known = len(runs(settings=project.settings))
    names = ran(path)
    assert (names["sales"], names["month"], names["tidy"]) == ([1.0, 2.0], 5, [])
    assert len(runs(settings=project.settings)) == known


def test_the_code_is_that_which_ran_and_not_that_of_now(project: Project) -> None:
    key = told(project.settings, LOAD, CLEAN)
    project.rewrite(6, "s>month", "s>month+1")
    done = debug(key, project.settings)
    assert "s>month]" in source(done.path, "p2p-debug")
    assert done.notes == ()
    shutil.copyfile(project.path, project.settings.root / "other.ipynb")
    (project.settings.runs / key / "sales.ipynb").unlink()
    done = debug(key, project.settings)
    assert "s>month+1]" in source(done.path, "p2p-debug")
    assert "as it is now" in done.notes[0]
    assert "kept no copy" in source(done.path, "p2p-head")


def test_an_interactive_run_s_notebook_is_found_by_its_name(project: Project) -> None:
    facts = {"run_kind": "interactive", "source": "sales.ipynb", "notebook_digest": ""}
    done = debug(tell(project.settings, LOAD, CLEAN, **facts), project.settings)
    assert "as it is now" in done.notes[0]
    assert read(done.path)["metadata"]["p2p"]["debug"]["notebook"] == "notebooks/sales.ipynb"
    twin = project.settings.root / "old" / "sales.ipynb"
    twin.parent.mkdir()
    shutil.copyfile(project.path, twin)
    with pytest.raises(TargetError, match=r"is not there, or is there twice: 'sales.ipynb'"):
        debug(tell(project.settings, LOAD, CLEAN, **facts), project.settings)


def test_a_function_opens_without_its_decorator_and_is_called_as_the_notebook_calls_it(project: Project) -> None:
    path = debug(told(project.settings, LOAD, TOTAL), project.settings).path
    assert source(path, "p2p-debug").startswith("def total(tidy, month):")
    assert source(path, "p2p-call") == "amount = total(tidy, month)\namount"
    assert ran(path)["amount"] == 0


def test_a_call_of_no_plain_names_is_written_by_argument_and_a_mapped_one_over_the_items(settings: Settings) -> None:
    write_notebook(
        settings.root / "notebooks" / "sales.ipynb",
        "from p2p import step",
        "@step\ndef one(x, by):\n    return x / by",
        "ones = one.map(parts, by=share)",
        "one(parts[0], 2)",
    )
    mapped = ToldStep("one", {"parts": [1, 2], "share": 2}, error="E: x", function="one")
    path = debug(told(settings, mapped, params={}), settings).path
    assert source(path, "p2p-call") == "ones = [one(parts_item, by=share) for parts_item in parts]\nones"
    assert ran(path)["ones"] == [0.5, 1.0]
    plain = ToldStep("one_2", {"x": 4, "by": 2}, error="E: x", function="one")
    assert source(debug(told(settings, plain), settings).path, "p2p-call") == "one(x=x, by=by)"


def test_what_earlier_steps_and_parameters_gave_to_helpers_is_loaded_and_not_made_again(settings: Settings) -> None:
    write_notebook(
        settings.root / "notebooks" / "sales.ipynb",
        "%%step load\nrows = 1 / 0",
        "pause = 3\ndef rest(x):\n    return x - sum(rows) - month - pause",
        "print('shown')",
        "%%step use(x) -> y\ny = rest(x)",
        params="month: int = 1",
    )
    key = told(settings, ToldStep("load", outputs={"rows": [1, 2]}), ToldStep("use", {"x": 20}, error="E: x"))
    path = debug(key, settings).path
    assert "shown" not in source(path, "p2p-above")
    assert ran(path)["y"] == 20 - 3 - 5 - 3


def test_a_module_s_step_opens_with_its_file_and_its_wiring(project: Project) -> None:
    facts = {"run_kind": "module", "name": "sales", "version": 1, "source": "pipelines/sales/v1"}
    key = tell(project.settings, LOAD, CLEAN, **facts)
    path = debug(key, project.settings).path
    assert source(path, "p2p-call") == "tidy = clean(sales, month)\ntidy"
    assert "def gross" in source(path, "p2p-above")
    assert "def load" not in source(path, "p2p-above")
    assert ran(path)["tidy"] == []
    project.edit({"s > month": "s >= month"})
    assert "edited by hand" in debug(key, project.settings).notes[0]


def test_the_head_tells_what_differs_from_the_last_good_run(project: Project) -> None:
    good = ToldStep("clean", {"sales": [1.0, 2.0, 9.0], "month": 5}, {"tidy": [9.0]})
    older = told(project.settings, LOAD, good, params={"month": 4}, packages={"numpy": "1"})
    key = told(project.settings, LOAD, CLEAN, packages={"numpy": "2"})
    done = debug(key, project.settings)
    assert done.good is not None
    assert done.good.summary.key == older
    head = source(done.path, "p2p-head")
    wanted = ["ValueError: no sales", "month = 5", "input sales: [1.0,2.0,9.0] -> [1.0,2.0]", "parameter month: 4 -> 5",
              "package numpy: 1 -> 2"]  # fmt: skip
    assert [text for text in wanted if text not in head] == []
    assert "input month" not in head
    assert "ValueError: no sales" in source(done.path, "p2p-traceback")


def test_a_step_that_was_killed_opens_with_its_inputs(project: Project) -> None:
    cut = ToldStep("clean", {"sales": [7.0], "month": 5}, end=False)
    done = debug(told(project.settings, LOAD, cut, status="KILLED"), project.settings)
    assert done.case.step.name == "clean"
    assert ran(done.path)["tidy"] == [7.0 * 1.2]


def test_an_input_that_was_not_stored_says_why(project: Project) -> None:
    lost = ToldStep("clean", {"sales": (n for n in ()), "month": 5}, error="E: x")
    path = debug(told(project.settings, lost), project.settings).path
    with pytest.raises(Exception, match="'sales' was not stored"):
        ran(path)


def test_a_step_is_named_where_none_failed(project: Project) -> None:
    key = told(project.settings, LOAD, ToldStep("clean", {"sales": [9.0], "month": 5}, {"tidy": []}))
    with pytest.raises(InputRefused, match=r"No step .* has failed. Its steps: load, clean. Name one: --step"):
        debug(key, project.settings)
    with pytest.raises(TargetError, match=r"no step 'claen'.*Closest name: 'clean'"):
        debug(key, project.settings, step="claen")
    assert debug(key, project.settings, step="clean").case.step.name == "clean"
    assert debug(runs(settings=project.settings)[0].id[:12], project.settings, step="load").case.run.summary.key == key


def test_the_step_that_failed_is_opened_though_others_beside_it_ended_later(project: Project) -> None:
    beside = told(project.settings, LOAD, CLEAN, ToldStep("total", {"tidy": [], "month": 0}, function="total"))
    assert debug(beside, project.settings).case.step.name == "clean"
    facts = {"run_kind": "interactive", "status": "FINISHED"}
    assert debug(tell(project.settings, CLEAN, LOAD, **facts), project.settings).case.step.name == "clean"
    again = tell(project.settings, CLEAN, replace(CLEAN, error=""), status="FINISHED")
    with pytest.raises(InputRefused, match="No step"):
        debug(again, project.settings)


def test_a_broken_contract_is_told_as_the_code_may_run_well(project: Project) -> None:
    broken = replace(CLEAN, error="ContractBroken: Step 'clean' gives 'tidy', which breaks its contract.")
    path = debug(told(project.settings, LOAD, broken), project.settings).path
    assert "Contracts are not checked here" in source(path, "p2p-head")
    assert ran(path)["tidy"] == []


def test_a_step_within_another_is_refused_with_the_one_that_has_its_inputs(project: Project) -> None:
    key = told(project.settings, ToldStep("total", {"tidy": []}, error="E: x", function="total", parent="clean"), CLEAN)
    with pytest.raises(InputRefused, match=r"ran within step 'clean'.*Debug the outer one: --step clean"):
        debug(key, project.settings, step="total")
    assert debug(key, project.settings).case.step.name == "clean"


def test_the_line_to_type_is_told_where_it_works_and_not_where_it_would_be_refused(project: Project) -> None:
    key = told(project.settings, LOAD, CLEAN)
    run_id = runs(settings=project.settings).find(key).id
    assert way_in(key, project.settings) == f"p2p debug {run_id} --step clean"
    for refused in ("zzz", told(project.settings, LOAD), told(project.settings, ToldStep("other", error="E: x")),
                    tell(project.settings, CLEAN, run_kind="sweep")):  # fmt: skip
        assert way_in(refused, project.settings) == ""
    assert way_in(key, project.settings, step="claen") == ""
    assert not (project.settings.root / "debug").exists()


def test_what_has_no_code_to_open_is_refused(project: Project) -> None:
    with pytest.raises(InputRefused, match="of the kind sweep"):
        debug(tell(project.settings, CLEAN, run_kind="sweep"), project.settings)
    with pytest.raises(InputRefused, match="only tested an export"):
        debug(tell(project.settings, CLEAN, tags={"p2p.purpose": "verification"}), project.settings)
    with pytest.raises(TargetError, match="No run"):
        debug("zzz", project.settings)
    with pytest.raises(TargetError, match="has no cell for step 'other'"):
        debug(told(project.settings, ToldStep("other", error="E: x")), project.settings)
    assert not (project.settings.root / "debug").exists()


def test_no_file_is_overwritten_and_equal_runs_give_equal_notebooks(project: Project) -> None:
    key = told(project.settings, LOAD, CLEAN)
    made = [debug(key, project.settings).path for _ in range(3)]
    stem = made[0].stem
    assert [path.stem for path in made] == [stem, f"{stem}-2", f"{stem}-3"]
    assert len({path.read_bytes() for path in made}) == 1
    given = project.settings.root / "my.ipynb"
    given.write_text("mine", encoding="utf-8")
    assert debug(key, project.settings, output=given).path == given.with_name("my-2.ipynb")
    assert given.read_text(encoding="utf-8") == "mine"
    for elsewhere in (project.settings.root.parent / "my.ipynb", project.settings.root / "my.py"):
        with pytest.raises(InputRefused, match="no place for a debug notebook"):
            debug(key, project.settings, output=elsewhere)


def test_hostile_texts_stay_text(project: Project) -> None:
    from nbconvert import HTMLExporter
    from nbformat import reads, validate

    step = ToldStep("clean", {"sales": [1.0], "month": 5, HOSTILE: 1}, error=f"ValueError: {HOSTILE}")
    told(project.settings, ToldStep("clean", {"sales": HOSTILE, "month": 5}), params={HOSTILE: "x"})
    key = told(project.settings, step, params={"month": HOSTILE, HOSTILE: HOSTILE}, packages={HOSTILE: HOSTILE})
    path = debug(key, project.settings).path
    document = reads(path.read_text(encoding="utf-8"), 4)
    validate(document)
    for cell in (c for c in document.cells if c.cell_type == "markdown"):
        assert re.search(r"[<$]", _outside_fences(cell.source)) is None
    page, _ = HTMLExporter().from_notebook_node(document)
    assert "<img" not in page
    assert "alert(2)</script>" not in page
    assert "&lt;img src=x" in page
    for cell in (c for c in document.cells if c.cell_type == "code"):
        assert "onerror" not in cell.source


def test_a_hostile_name_of_a_run_or_step_is_written_as_text_alone(project: Project) -> None:
    path = debug(tell(project.settings, ToldStep("load"), run_kind="interactive", name=HOSTILE), project.settings,
                 step="load").path  # fmt: skip
    assert path.parent == project.settings.root / "debug"
    assert re.search(r"[<$\[]", _outside_fences(source(path, "p2p-head"))) is None
    assert "javascript" in source(path, "p2p-head").partition("\n")[0]  # all of the name is in the title's line


def test_secrets_stay_masked(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", "tops3cret!")
    step = ToldStep("clean", {"sales": [1.0]}, error="ValueError: with tops3cret! it failed")
    done = debug(told(project.settings, step, params={"month": MASK}), project.settings)
    assert "tops3cret!" not in done.path.read_text(encoding="utf-8")
    assert MASK in source(done.path, "p2p-traceback")
    assert "'month' was a secret" in done.notes[0]


def test_the_notebook_says_where_it_came_from(project: Project) -> None:
    key = told(project.settings, LOAD, CLEAN)
    found = read(debug(key, project.settings).path)
    facts = found["metadata"]["p2p"]["debug"]
    assert (facts["run"], facts["step"], facts["notebook"], facts["kind"]) == (
        key, "clean", "notebooks/sales.ipynb", "cell",
    )  # fmt: skip
    assert (found["nbformat"], found["nbformat_minor"]) == (4, 5)
    assert json.dumps(found["metadata"]["kernelspec"]) != "{}"


def _outside_fences(markdown: str) -> str:
    """The lines of a markdown text that stand in no fence."""
    outside, fence = [], ""
    for line in markdown.split("\n"):
        ticks = re.match(r"`{3,}", line)
        if fence:
            fence = "" if ticks and line.strip() == ticks[0] and len(ticks[0]) >= len(fence) else fence
        elif ticks:
            fence = ticks[0]
        else:
            outside.append(line)
    assert not fence
    return "\n".join(outside)
