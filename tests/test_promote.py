from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from p2p.errors import EvidenceRefused, TargetError
from p2p.export.packages import promoted_version, write_package_files
from p2p.manifest import Manifest
from p2p.promote import promote
from p2p.settings import Settings

FACTS: dict[str, Any] = {
    "notebook": "notebooks/sales.ipynb", "notebook_digest": "", "git_commit": "", "recorded_run": "",
    "verified_run": "", "params": {}, "change": "first", "changes": [], "interface": {}, "steps": [], "files": {},
    "environment": {},
}  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Settings:
    """A project with two verified versions of `sales`, and a third whose tests never ran."""
    settings = Settings(tmp_path, "")
    for version, tests in ((1, {"passed": 3}), (2, {"passed": 3}), (3, {})):
        directory = settings.pipelines / "sales" / f"v{version}"
        directory.mkdir(parents=True)
        manifest = Manifest(pipeline="sales", version=version, tests=tests, **FACTS)
        (directory / "manifest.json").write_text(manifest.text(), encoding="utf-8")
        write_package_files(settings.pipelines / "sales", "sales", version)
    return settings


def test_promotion_tells_the_version_before_and_the_new_one(project: Settings) -> None:
    assert promote("sales", 2, project) == (1, 2)
    assert promote("sales", 2, project) == (2, 2)
    assert promote("sales", 1, project) == (2, 1)


def test_a_version_that_was_never_verified_is_not_promoted(project: Settings) -> None:
    with pytest.raises(EvidenceRefused, match="records no passed tests"):
        promote("sales", 3, project)
    assert promoted_version(project.pipelines, "sales") == 1


def test_a_version_that_was_changed_since_it_was_verified_is_not_promoted(project: Settings) -> None:
    directory = project.pipelines / "sales" / "v2"
    manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"] = {"steps.py": "0" * 64}
    (directory / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (directory / "steps.py").write_text("changed", encoding="utf-8")
    with pytest.raises(EvidenceRefused, match=r"steps\.py"):
        promote("sales", 2, project)
    assert promoted_version(project.pipelines, "sales") == 1


@pytest.mark.parametrize(("name", "version"), [("sales", 9), ("nothing", 1)])
def test_what_is_not_there_is_refused(project: Settings, name: str, version: int) -> None:
    with pytest.raises(TargetError):
        promote(name, version, project)
