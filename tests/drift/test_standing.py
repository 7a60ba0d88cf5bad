"""How a project stands: a row for each notebook and pipeline, and everything that drifted of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from p2p.drift import Standing, standing
from p2p.errors import TargetError
from p2p.manifest import read_manifest
from tests.building import write_notebook
from tests.drift.project import CELLS, Project

NOW = 2_000_000_000.0
DAY = 86_400.0
INSTALLED = {"python": "3.12.0", "Typing_Extensions": "4.0"}


def rows(project: Project, **options: Any) -> dict[str, Standing]:
    found = standing(project.settings, clock=lambda: NOW, installed=INSTALLED, **options)
    return {row.name: row for row in found}


def drifts(row: Standing) -> list[tuple[str, str]]:
    return [(drift.kind, drift.what) for drift in row.drift]


def run(project: Project, key: str, age: float, status: str = "FINISHED", **facts: Any) -> None:
    """The journal of a run that ended `age` days ago."""
    opened = {"kind": "run_opened", "at": 0, "format": 1, "tags": {}, **facts}
    events = [opened, {"kind": "mlflow_run", "run_id": f"id-{key}"}]
    if status != "RUNNING":
        events.append({"kind": "run_finished", "at": int((NOW - age * DAY) * 1e9), "status": status})
    directory = project.settings.runs / key
    directory.mkdir(parents=True)
    (directory / "journal.jsonl").write_text("".join(json.dumps(e) + "\n" for e in events), encoding="utf-8")


NOTEBOOK = {"run_kind": "notebook", "source": "notebooks/sales.ipynb"}
MODULE = {"run_kind": "module", "name": "sales"}


def test_a_project_as_it_was_exported_has_not_drifted(project: Project) -> None:
    run(project, "1", 1, **NOTEBOOK)
    run(project, "2", 1, **MODULE)
    found = rows(project)
    assert list(found) == ["notebooks/sales.ipynb", "sales"]
    for row in found.values():
        assert (row.newest, row.promoted, row.drift) == (1, 1, ())
        assert row.pipelines == ("sales",)
    assert found["sales"].run is not None
    assert (found["sales"].run.run, found["sales"].run.at) == ("id-2", NOW - DAY)


def test_a_changed_notebook_is_told(project: Project) -> None:
    project.rewrite(4, "sales.sort()", "sales.reverse()")
    assert ("notebook", "changed since sales@1") in drifts(rows(project)["notebooks/sales.ipynb"])


def test_files_edited_by_hand_are_named_of_the_newest_and_of_the_promoted_version(project: Project) -> None:
    project.write(*CELLS)
    project.export(2)
    project.edit({"sales.sort()": "sales.reverse()"}, version=1)
    (project.directory(2) / "mine.py").touch()
    row = rows(project)["sales"]
    assert (row.newest, row.promoted) == (2, 1)
    assert [what for kind, what in drifts(row) if kind == "module"] == [
        "v2 was edited by hand: mine.py", "v1 was edited by hand: steps.py"
    ]  # fmt: skip


def test_another_environment_is_told_by_package(bare: Project) -> None:
    bare.write(*CELLS)
    packages = {"typing-extensions": "4.0", "pandas": "2.0"}
    bare.export(environment={"python": "3.11.0", "packages": packages})
    assert drifts(rows(bare)["sales"])[0] == (
        "environment", "other packages than v1 was made with: python 3.11.0 → 3.12.0, pandas 2.0 → not installed"
    )  # fmt: skip


def test_only_runs_that_ended_well_count_and_old_ones_are_old(project: Project) -> None:
    run(project, "1", 40, **NOTEBOOK)
    run(project, "2", 2, "FAILED", **NOTEBOOK)
    run(project, "3", 1, "RUNNING", **NOTEBOOK)
    run(project, "4", 1, **{**NOTEBOOK, "source": "notebooks/other.ipynb"})
    row = rows(project)["notebooks/sales.ipynb"]
    assert row.run is not None
    assert row.run.run == "id-1"
    assert drifts(row) == [("run", "the last good run is 40 days old")]
    assert drifts(rows(project, old=50 * DAY)["notebooks/sales.ipynb"]) == []
    assert drifts(rows(project)["sales"]) == [("run", "no good run yet")]


def test_of_the_runs_for_a_proof_only_that_of_a_version_counts(bare: Project) -> None:
    bare.write(*CELLS)
    bare.export(verified_run="id-1")
    proof = {**MODULE, "tags": {"p2p.purpose": "verification"}}
    run(bare, "1", 3, **proof)
    run(bare, "2", 1, **proof)  # its values were not the notebook's, say
    found = rows(bare)["sales"].run
    assert found is not None
    assert found.run == "id-1"


def test_runs_of_long_ago_are_not_read_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither their number nor a notebook that has never run well makes a second look longer."""
    write_notebook(project.settings.root / "notebooks" / "never.ipynb", "1 / 0")
    for number in range(300):
        facts = [NOTEBOOK, MODULE, {**NOTEBOOK, "source": "notebooks/never.ipynb"}][number % 3]
        run(project, f"2026{number:03d}", 1, "FINISHED" if number % 3 < 2 else "FAILED", **facts)
    first = rows(project)
    read: list[Path] = []
    really = Path.open

    def noted(path: Path, *arguments: Any, **options: Any) -> Any:
        read.extend([path] if path.name == "journal.jsonl" else [])
        return really(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", noted)
    assert rows(project) == first
    assert read == []
    run(project, "2027", 0, **NOTEBOOK)
    newest = rows(project)["notebooks/sales.ipynb"].run
    assert newest is not None
    assert newest.run == "id-2027"
    assert {path.parent.name for path in read} == {"2027"}


def test_notebooks_without_a_pipeline_and_pipelines_without_a_notebook_have_rows_too(project: Project) -> None:
    root = project.settings.root
    write_notebook(root / "notebooks" / "deep" / "other.ipynb", "x = 1")
    write_notebook(root / "notebooks" / ".ipynb_checkpoints" / "sales-checkpoint.ipynb", "x = 1")
    (root / "notebooks" / "torn.ipynb").write_text("{", encoding="utf-8")
    project.path.unlink()
    found = rows(project)
    assert list(found) == ["notebooks/deep/other.ipynb", "notebooks/torn.ipynb", "sales"]
    assert (found["notebooks/deep/other.ipynb"].newest, found["notebooks/deep/other.ipynb"].promoted) == (None, None)
    assert drifts(found["sales"])[0] == ("notebook", "'notebooks/sales.ipynb' is not there")
    assert drifts(found["notebooks/torn.ipynb"])[0][0] == "notebook"


def test_a_package_that_names_no_promoted_version_has_none(project: Project) -> None:
    (project.settings.pipelines / "sales" / "__init__.py").write_text("", encoding="utf-8")
    assert rows(project)["sales"].promoted is None


def test_an_empty_project_has_no_rows(tmp_path: Path, bare: Project) -> None:
    assert rows(bare) == {}


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 1}', '{"format": 99}'])
def test_a_damaged_manifest_is_told_and_the_rest_stands(project: Project, text: str) -> None:
    directory = project.settings.pipelines / "sales" / "v1"
    (directory / "manifest.json").write_text(text, encoding="utf-8")
    found = rows(project)
    ((kind, what),) = drifts(found["sales"])
    assert (list(found), kind) == (["notebooks/sales.ipynb", "sales"], "module")
    assert what.startswith("v1 cannot be read: ")
    assert "manifest.json" in what
    with pytest.raises(TargetError, match=r"manifest\.json"):
        read_manifest(directory)
