"""Edits of the copies that a version holds of the author's own modules, brought back into these."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from blake3 import blake3

from p2p.drift import diff, pull, standing
from p2p.errors import EvidenceRefused
from p2p.export.moving import moved_file
from tests.drift.project import CELLS, Project

FILES = {
    "rates.py": "# as the law has it\nfrom tables import BASE\n\nRATE = BASE * 2\n",
    "tables.py": "BASE = 1\n",
}


@pytest.fixture
def project(bare: Project) -> Project:
    """A project whose version holds copies of two modules."""
    bare.write("import rates", *CELLS)
    for name, text in FILES.items():
        (bare.path.parent / name).write_text(text, encoding="utf-8")
    write_version(bare, 1)
    return bare


def write_version(project: Project, version: int) -> None:
    directory = project.directory(version)
    facts = {}
    (directory / "modules").mkdir(parents=True)
    for name in FILES:
        file = project.path.parent / name
        text = file.read_text(encoding="utf-8")
        (directory / "modules" / name).write_text(moved_file(name, text, {"rates", "tables"}), encoding="utf-8")
        facts[name] = {"file": f"notebooks/{name}", "digest": blake3(file.read_bytes()).hexdigest()}
    shown = directory.rename(directory.with_name("made"))
    project.export(version, modules=facts)
    (shown / "modules").rename(directory / "modules")
    shown.rmdir()
    manifest = directory / "manifest.json"
    from p2p.export import file_digests
    from p2p.manifest import Manifest, read_manifest

    manifest.write_text(Manifest(**{**asdict(read_manifest(directory)), "files": file_digests(directory)}).text())


def own(project: Project, name: str = "rates.py") -> Path:
    return project.path.parent / name


def test_an_edit_goes_into_the_file_it_is_a_copy_of_and_everything_else_stays(project: Project) -> None:
    before = project.path.read_bytes()
    project.edit({"BASE * 2": "BASE * 3"}, "modules/rates.py")
    done = pull("sales", 1, project.settings)
    assert (done.modules, done.cells, done.left) == (("modules/rates.py",), (), ())
    assert own(project).read_text(encoding="utf-8") == FILES["rates.py"].replace("* 2", "* 3")
    assert project.path.read_bytes() == before
    assert own(project, "tables.py").read_text(encoding="utf-8") == FILES["tables.py"]


def test_edits_of_steps_and_of_modules_come_back_together(project: Project) -> None:
    project.edit({"sales.sort()": "sales.reverse()"})
    project.edit({"BASE = 1": "BASE = 5"}, "modules/tables.py")
    done = pull("sales", 1, project.settings)
    assert (done.modules, done.units) == (("modules/tables.py",), ("load",))
    assert "sales.reverse()" in project.source(5)
    assert own(project, "tables.py").read_text(encoding="utf-8") == "BASE = 5\n"


def test_a_file_that_has_changed_too_is_refused_and_nothing_is_written(project: Project) -> None:
    project.edit({"sales.sort()": "sales.reverse()"})
    project.edit({"BASE * 2": "BASE * 3"}, "modules/rates.py")
    own(project).write_text("RATE = 9\n", encoding="utf-8")
    before = project.path.read_bytes()
    with pytest.raises(EvidenceRefused, match="has changed there too"):
        pull("sales", 1, project.settings)
    assert project.path.read_bytes() == before
    assert own(project).read_text(encoding="utf-8") == "RATE = 9\n"


def test_an_edit_of_an_import_that_reads_otherwise_at_home_is_refused(project: Project) -> None:
    project.edit({"from .tables import BASE": "from .tables import BASE, OTHER"}, "modules/rates.py")
    with pytest.raises(EvidenceRefused, match="an import was edited"):
        pull("sales", 1, project.settings)
    assert own(project).read_text(encoding="utf-8") == FILES["rates.py"]


def test_nothing_outside_of_the_project_is_written(project: Project) -> None:
    outside = own(project).rename(project.settings.root.parent / "rates.py")
    manifest = project.directory() / "manifest.json"
    manifest.write_text(manifest.read_text().replace("notebooks/rates.py", "../rates.py"), encoding="utf-8")
    project.edit({"BASE * 2": "BASE * 3"}, "modules/rates.py")
    with pytest.raises(EvidenceRefused, match="outside of the project"):
        pull("sales", 1, project.settings)
    assert outside.read_text(encoding="utf-8") == FILES["rates.py"]


def test_a_copy_that_is_no_python_is_refused(project: Project) -> None:
    project.edit({"BASE * 2": "BASE * ("}, "modules/rates.py")
    with pytest.raises(EvidenceRefused, match="cannot be read"):
        pull("sales", 1, project.settings)


def test_status_tells_that_a_module_changed_and_diff_shows_it(project: Project) -> None:
    own(project).write_text(FILES["rates.py"].replace("* 2", "* 4"), encoding="utf-8")
    row = next(row for row in standing(project.settings) if row.kind == "notebook")
    assert [drift.what for drift in row.drift if drift.kind == "notebook"] == [
        "imports what changed since sales@1: notebooks/rates.py"
    ]
    write_version(project, 2)
    found = diff(("sales", 1), ("sales", 2), project.settings)
    assert [(change.name, change.change) for change in found.helpers] == [("modules/rates.py", "changed")]
    assert not found.is_same
    assert "+RATE = BASE * 4" in found.helpers[0].diff
