"""The project itself: what its lock, Makefile, metadata and contracts promise each other."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ["requirements.lock", "requirements-bootstrap.lock"]


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def files_in_git(*paths: str) -> list[str]:
    """What is, or is about to be, in git: tracked files, and new ones that nothing ignores."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *paths]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted({name for name in listed.split("\0") if name and (ROOT / name).is_file()})


def locked(lock: str) -> dict[str, str]:
    """The entries of a lock file: the name, and all that is said of it."""
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    entries = [line for line in text.splitlines() if line.strip()]
    return {re.split(r"[=\s;]", entry, maxsplit=1)[0]: entry for entry in entries}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_of_a_lock_is_one_version_with_hashes(lock: str) -> None:
    pinned = re.compile(r"[a-z0-9._-]+==[^\s;]+( ; [^\\]+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*")
    assert locked(lock)
    assert [entry for entry in locked(lock).values() if not pinned.fullmatch(entry)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address_and_no_path(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert re.findall(r"https?:|file:|@|index-url|find-links|/", text) == []


def test_the_lock_holds_every_declared_dependency_and_no_deep_learning_stack(project: dict[str, Any]) -> None:
    extras = project["project"]["optional-dependencies"].values()
    declared = [need for group in [project["project"]["dependencies"], *extras] for need in group]
    names = {re.split(r"[\[<>=;\s]", need, maxsplit=1)[0].lower() for need in declared} - {"p2p-toolkit"}
    assert names - set(locked("requirements.lock")) == set()
    assert {"torch", "tensorflow", "jax"} & set(locked("requirements.lock")) == set()


def test_setup_starts_from_the_uv_that_the_lock_names() -> None:
    assert locked("requirements-bootstrap.lock")["uv"] == locked("requirements.lock")["uv"]


def test_every_make_target_has_one_line_of_help() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)[0].split()
    targets = re.findall(r"^([a-z][a-z-]*):", text, re.MULTILINE)
    with_help = re.findall(r"^([a-z][a-z-]*):[^#\n]*## \S", text, re.MULTILINE)
    assert sorted(with_help) == sorted(targets) == sorted(phony)


def test_make_alone_prints_the_help() -> None:
    printed = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for target in ("setup", "demo", "test", "lint", "format", "docs", "bench"):
        assert re.search(rf"^  make {target} +\S", printed, re.MULTILINE), target


def test_the_changelog_begins_with_the_version_of_the_package(project: dict[str, Any]) -> None:
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == project["project"]["version"]


def test_the_command_and_the_plug_in_points_are_declared(project: dict[str, Any]) -> None:
    assert project["project"]["scripts"] == {"p2p": "p2p.cli:command"}
    assert project["project"]["entry-points"] == {
        "papermill.engine": {"p2p": "p2p.notebook.engine:P2PEngine"},
        "mlflow.run_context_provider": {"p2p": "p2p.tracking.context:P2PRunContext"},
    }


def test_every_top_level_module_has_its_place_in_the_layers(project: dict[str, Any]) -> None:
    contracts = {contract["id"]: contract for contract in project["tool"]["importlinter"]["contracts"]}
    placed = set(re.findall(r"\w+", " ".join(contracts["layers"]["layers"])))
    modules = {Path(name).parts[1].removesuffix(".py") for name in files_in_git("p2p") if name.endswith(".py")}
    assert contracts["layers"]["exhaustive"] is True
    assert modules - {"__init__"} - placed == set()


def test_only_the_readme_of_mlruns_is_in_git() -> None:
    assert files_in_git("mlruns") == ["mlruns/README.md"]


def test_no_file_in_git_tells_of_a_machine_or_an_index() -> None:
    # Put together here, so that this file does not find itself.
    forbidden = re.compile(
        "|".join(["/" + "(work|root|opt/wheels|opt/pypi)/", "py" + "pi.org/simple", "python" + "hosted"]).encode()
    )
    telling = [name for name in files_in_git() if forbidden.search((ROOT / name).read_bytes())]
    assert telling == []


def test_the_architecture_page_shows_the_rooms_that_the_contract_has(project: dict[str, Any]) -> None:
    contract = next(one for one in project["tool"]["importlinter"]["contracts"] if one["id"] == "layers")
    layers = [sorted(re.findall(r"\w+", layer)) for layer in contract["layers"]]
    built = [[room for room in rooms if list(ROOT.glob(f"p2p/{room}*"))] for rooms in layers]
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("\n## ")[1]
    told = [sorted(re.findall(r"`(\w+)`", row.split("|")[1])) for row in page.splitlines() if row.startswith("| `")]
    assert told == [rooms for rooms in built if rooms and rooms != ["__main__"]]
