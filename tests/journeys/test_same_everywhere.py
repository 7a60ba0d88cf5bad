"""One notebook, three ways: by hand in a kernel, by papermill, and as an exported module."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from p2p.export import Export, export_notebook
from p2p.manifest import read_manifest
from p2p.model import RunStatus
from p2p.notebook import run_notebook
from tests.journeys.kernels import run_by_hand
from tests.journeys.workshop import REPOSITORY, Workshop, digests

NOTEBOOKS = ["penguins", pytest.param("flight_delays", marks=pytest.mark.soak)]  # which takes minutes


@dataclass(frozen=True)
class Exported:
    """A notebook of this repository, run by papermill and exported in a project of its own."""

    workshop: Workshop
    path: Path
    run_id: str
    export: Export

    @property
    def name(self) -> str:
        return self.path.stem


@pytest.fixture(scope="module", params=NOTEBOOKS)
def exported(request: pytest.FixtureRequest, workshop: Workshop) -> Exported:
    name = request.param
    path = workshop.root / "notebooks" / f"{name}.ipynb"
    shutil.copyfile(REPOSITORY / "notebooks" / f"{name}.ipynb", path)
    run = run_notebook(path, workshop.settings)
    assert run.status is RunStatus.FINISHED, run.error
    return Exported(workshop, path, run.run_id, export_notebook(path, workshop.settings))


def test_every_value_of_the_module_equals_the_notebook_s(exported: Exported) -> None:
    assert exported.export.written
    verdicts = {f"{c.step}/{c.value}": c.verdict for c in exported.export.compared}
    assert {name: v for name, v in verdicts.items() if v != "equal"} == {}
    assert exported.export.tests["passed"] > len(exported.export.manifest.steps)


def test_the_same_steps_give_the_same_values_by_hand_by_papermill_and_as_a_module(exported: Exported) -> None:
    workshop = exported.workshop
    assert run_by_hand(exported.path, workshop.env) == []
    module = workshop.python("-m", f"pipelines.{exported.name}", "--json")
    assert module.code == 0, module.err

    runs = {kind: workshop.records(run_kind=kind)[0] for kind in ("interactive", "notebook", "module")}
    assert {kind: run.status for kind, run in runs.items()} == dict.fromkeys(runs, RunStatus.FINISHED)
    assert list(digests(runs["interactive"])) == list(digests(runs["notebook"])) == list(digests(runs["module"]))
    assert digests(runs["interactive"]) == digests(runs["notebook"]) == digests(runs["module"])
    assert {kind: workshop.mlflow_run(run.run_id).info.status for kind, run in runs.items()} == dict.fromkeys(
        runs, "FINISHED"
    )
    spans = {kind: workshop.spans(run.run_id) for kind, run in runs.items()}
    assert spans["module"] == spans["notebook"] == spans["interactive"]


def test_a_second_export_writes_nothing(exported: Exported) -> None:
    before = files(exported.export.directory.parent)
    again = export_notebook(exported.path, exported.workshop.settings)
    assert not again.written
    assert files(exported.export.directory.parent) == before


@pytest.mark.soak
def test_a_version_runs_by_its_name_with_parameters_and_is_tracked(exported: Exported) -> None:
    if exported.name != "penguins":
        pytest.skip("it passes the parameters of penguins, and this export is flight_delays (soak only)")
    workshop = exported.workshop
    promoted = workshop.p2p("run", "penguins", "-p", "species=Gentoo", "--json")
    numbered = workshop.p2p("run", "penguins@1", "-p", "species=Gentoo", "--json")
    module = workshop.python("-m", "pipelines.penguins", "--species", "Gentoo", "--json")

    ran = {"promoted": promoted, "numbered": numbered, "module": module}
    assert {how: done.code for how, done in ran.items()} == dict.fromkeys(ran, 0), module.err
    assert len({str(done.answer["outputs"]) for done in ran.values()}) == 1
    recorded = {how: workshop.mlflow_run(done.answer["run_id"]).data for how, done in ran.items()}
    assert {how: data.params["species"] for how, data in recorded.items()} == dict.fromkeys(ran, "Gentoo")
    assert {how: data.tags["p2p.steps"] for how, data in recorded.items()} == dict.fromkeys(ran, "load, clean, fit")
    assert {how: data.tags["p2p.version"] for how, data in recorded.items()} == dict.fromkeys(ran, "1")
    digest = exported.export.manifest.notebook_digest
    assert {how: data.tags["p2p.notebook_digest"] for how, data in recorded.items()} == dict.fromkeys(ran, digest)


def test_a_module_refuses_a_bad_parameter_by_name_before_anything_runs(exported: Exported) -> None:
    if exported.name != "penguins":
        pytest.skip("it passes the parameters of penguins, and this export is flight_delays (soak only)")
    workshop = exported.workshop
    before = len(workshop.records())
    refusals = [
        workshop.python("-m", "pipelines.penguins", "--species", "Emu"),
        workshop.p2p("run", "penguins@1", "-p", "specis=Gentoo"),
        workshop.p2p("run", "penguins@2"),
    ]
    assert [done.code for done in refusals] == [2, 2, 2]
    for done, text in zip(refusals, ["species", "'species'", "no version 2"], strict=True):
        assert text in done.err
    assert len(workshop.records()) == before


@pytest.mark.soak  # `make test` runs those of pipelines/ too
def test_the_generated_tests_pass_under_plain_pytest_and_tell_a_changed_step(exported: Exported) -> None:
    workshop = exported.workshop
    copy = workshop.root / "copy"
    shutil.copytree(workshop.root / "pipelines", copy / "pipelines", ignore=shutil.ignore_patterns("__pycache__"))
    plain = workshop.python("-m", "pytest", "-q", "-p", "no:cacheprovider", "pipelines")
    assert plain.code == 0, plain.out
    assert f"{exported.export.tests['passed']} passed" in plain.out

    steps = copy / "pipelines" / exported.name / "v1" / "steps.py"
    text = steps.read_text(encoding="utf-8")
    broken = text.replace(">= min_mass", "> min_mass + 4000")
    broken = broken.replace('["arr_delay"] > late_after', '["arr_delay"] >= late_after')
    assert broken != text
    steps.write_text(broken, encoding="utf-8")
    changed = workshop.python(
        "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(copy), str(copy / "pipelines"), path=str(copy)
    )
    assert changed.code == 1, changed.out
    assert "test_reproduces_the_notebook" in changed.out
    shutil.rmtree(copy)


def test_the_manifest_says_where_the_version_came_from(exported: Exported) -> None:
    manifest = read_manifest(exported.export.directory)
    assert manifest.recorded_run == exported.run_id
    assert manifest.notebook == f"notebooks/{exported.name}.ipynb"
    assert manifest.change == "first"
    assert {o["verified"] for step in manifest.steps for o in step["outputs"].values()} == {"equal"}
    lock = (exported.export.directory / "requirements.lock").read_text(encoding="utf-8")
    assert "https:" not in lock
    assert [note for note in manifest.notes if "no hash" in note] == []
    entries = [line for line in lock.replace("\\\n", " ").splitlines() if not line.startswith("#")]
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def files(folder: Path) -> dict[str, bytes]:
    found = [p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(found)}
