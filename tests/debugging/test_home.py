"""What was mended in a debug notebook goes into the step's cell and leaves every other byte, or nothing is written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from p2p.debugging import Home, debug, take_home
from p2p.drift.hand import open_version
from p2p.errors import AnalysisError, EvidenceRefused, InputRefused, TargetError
from tests.building import write_notebook
from tests.debugging.told import ToldStep, mend, read, tell
from tests.drift.project import Project

CLEAN = ToldStep("clean", {"sales": [1.0], "month": 5}, error="ValueError: no sales")
TOTAL = ToldStep("total", {"tidy": [], "month": 0}, error="E: x", function="total")
MODULE: dict[str, Any] = {
    "run_kind": "module", "name": "sales", "version": 1, "source": "pipelines/sales/v1", "params": {"month": 5},
}  # fmt: skip


def opened(project: Project, step: ToldStep = CLEAN, **facts: Any) -> Path:
    """The debug notebook of a run that failed at that step."""
    key = tell(project.settings, step, **{"params": {"month": 5}, **facts})
    if facts.get("run_kind") != "module":
        shutil.copyfile(project.path, project.settings.runs / key / "sales.ipynb")
    return debug(key, project.settings).path


def home(project: Project, path: Path) -> Home:
    return take_home(path, project.settings)


def refused(project: Project, path: Path, kind: type[Exception], match: str) -> None:
    """The pull is refused, and nothing is written."""
    before = project.path.read_bytes()
    with pytest.raises(kind, match=match):
        home(project, path)
    assert project.path.read_bytes() == before


def test_a_cell_s_code_goes_home_below_its_mark(project: Project) -> None:
    path, before = opened(project), project.path.read_text(encoding="utf-8")
    assert home(project, path).cells == ()
    assert project.path.read_text(encoding="utf-8") == before
    mend(path, "s>month", "s >= month")
    done = home(project, path)
    assert (done.cells, done.units, done.version) == ((6,), ("clean",), "")
    assert project.path.read_text(encoding="utf-8") == before.replace("s>month", "s >= month")
    assert home(project, path).cells == ()  # it is there


def test_a_mark_alone_and_one_below_empty_lines_keep_their_place(project: Project) -> None:
    write_notebook(project.path, "%%step bare", "%%step clean(sales) -> tidy\nx = 1")
    path = opened(project, ToldStep("bare", error="E: x"))
    _write_code(path, "y = 2")
    assert home(project, path).cells == (1,)
    assert project.source(1) == "%%step bare\ny = 2"


def test_a_function_goes_home_and_keeps_its_decorator(project: Project) -> None:
    path, before = opened(project, TOTAL), project.path.read_text(encoding="utf-8")
    mend(path, "  # not the mean\n", "  # not the mean, ever\n")
    assert home(project, path).cells == (7,)
    assert project.path.read_text(encoding="utf-8") == before.replace("not the mean", "not the mean, ever")
    mend(path, "def total", "import math\ndef total")
    refused(project, path, EvidenceRefused, "was edited since the run, in cell 7")


def test_what_stands_beside_the_function_comes_along_above_the_decorator(project: Project) -> None:
    path = opened(project, TOTAL)
    mend(path, "def total", "import math as m\n\ndef total")
    home(project, path)
    assert project.source(7).startswith("import math as m\n\n@step(timeout=60)\ndef total(tidy, month):\n")


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("def total", "def totals", "defines no function 'total'"),
        ("def total", "@cache\ndef total", "a decorator that it had not"),
    ],
)
def test_a_function_that_is_another_one_is_refused(project: Project, old: str, new: str, match: str) -> None:
    path = opened(project, TOTAL)
    mend(path, old, new)
    refused(project, path, EvidenceRefused, match)


def test_a_cell_that_was_edited_since_is_left_alone(project: Project) -> None:
    path = opened(project)
    mend(path, "s>month", "s >= month")
    project.rewrite(6, "len(tidy)", "len(tidy) + 1")
    refused(project, path, EvidenceRefused, "its cell 6 was edited since the run")


def test_a_step_that_is_gone_is_refused(project: Project) -> None:
    path = opened(project)
    mend(path, "s>month", "s >= month")
    project.rewrite(6, "%%step clean", "%%step cleaned")
    refused(project, path, EvidenceRefused, "its cell is gone")
    function = opened(project, TOTAL)
    project.rewrite(7, "def total", "def totals")
    refused(project, function, EvidenceRefused, "its function is gone")
    project.path.unlink()
    with pytest.raises(TargetError, match="There is no notebook"):
        home(project, path)


def test_what_is_no_python_is_refused(project: Project) -> None:
    for path in (opened(project), opened(project, **MODULE)):
        mend(path, "gross(s)", "gross(s")
        refused(project, path, AnalysisError, "'p2p-debug' of .* is not pulled")


def _mark(document: dict[str, Any]) -> None:
    cell = next(c for c in document["cells"] if c["id"] == "p2p-debug")
    cell["source"] = "%%step clean\nx = 1"


def _second(document: dict[str, Any]) -> None:
    document["cells"].append({**next(c for c in document["cells"] if c["id"] == "p2p-debug"), "id": "again"})


def _plain(document: dict[str, Any]) -> None:
    document["metadata"] = {}


def _outside(document: dict[str, Any]) -> None:
    document["metadata"]["p2p"]["debug"]["notebook"] = "../other.ipynb"


def _damaged(document: dict[str, Any]) -> None:
    document["metadata"]["p2p"]["debug"]["whole"] = 3


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (_mark, "has a mark"),
        (_second, "has 2 cells with the tag"),
        (_plain, "is no debug notebook"),
        (_outside, "There is no notebook '../other.ipynb'"),
        (_damaged, "do not say where"),
    ],
)
def test_what_no_debug_notebook_says_is_refused(
    project: Project, change: Callable[[dict[str, Any]], None], match: str
) -> None:
    path = opened(project)
    mend(path, "s>month", "s >= month")
    shutil.copyfile(project.path, project.settings.root.parent / "other.ipynb")
    document = read(path)
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    refused(project, path, InputRefused, match)


def test_a_version_s_step_goes_into_the_notebook_and_the_version_stays(project: Project) -> None:
    path, before = opened(project, **MODULE), project.path.read_text(encoding="utf-8")
    assert home(project, path).cells == ()
    mend(path, "s > month", "s >= month")
    done = home(project, path)
    assert (done.cells, done.units, done.version) == ((6,), ("clean",), "sales@1")
    assert project.path.read_text(encoding="utf-8") == before.replace("s>month", "s >= month")
    assert open_version("sales", 1, project.settings).changed == ()


def test_a_version_s_function_step_takes_its_imports_home(project: Project) -> None:
    path = opened(project, TOTAL, **MODULE)
    mend(path, "def total", "import statistics\n\n\ndef total")
    mend(path, "found = sum(tidy)", "found = statistics.mean(tidy)")
    done = home(project, path)
    assert done.units == ("total",)
    assert "found = statistics.mean(tidy)" in project.source(7)
    assert "@step(timeout=60)\ndef total" in project.source(7)
    assert any("import statistics" in project.source(cell) for cell in done.cells)


def test_a_version_s_step_that_was_edited_on_either_side_is_refused(project: Project) -> None:
    path = opened(project, **MODULE)
    mend(path, "s > month", "s >= month")
    project.rewrite(6, "s>month", "s>month+1")
    refused(project, path, EvidenceRefused, "edited here, and in cell 6")
    project.rewrite(6, "s>month+1", "s>month")
    project.edit({"s > month": "s > month + 2"})
    refused(project, path, EvidenceRefused, "'clean': it was edited since")


def _write_code(path: Path, code: str) -> None:
    document = read(path)
    next(c for c in document["cells"] if c["id"] == "p2p-debug")["source"] = code
    path.write_text(json.dumps(document), encoding="utf-8")


def test_a_step_of_a_text_notebook_goes_home_into_the_text(project: Project) -> None:
    text = "# %%\n# %load_ext p2p\n\n# %%\n# %%step clean(sales) -> tidy\ntidy = [s for s in sales if s>1]\n"
    source = project.settings.root / "notebooks" / "words.py"
    source.write_text(text, encoding="utf-8")
    key = tell(project.settings, ToldStep("clean", {"sales": [1.0]}, error="E: x"), source="notebooks/words.py",
               run_kind="interactive", name="words")  # fmt: skip
    path = debug(key, project.settings).path
    mend(path, "s>1", "s >= 1")
    assert home(project, path).cells == (2,)
    assert source.read_text(encoding="utf-8") == text.replace("s>1", "s >= 1")
