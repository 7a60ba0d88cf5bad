"""Text notebooks and pairs: how they stand, and a pull into them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jupytext
import pytest

from p2p.drift import pull, standing
from p2p.errors import NotebookError
from p2p.notebook import read_notebook
from tests.drift.project import CELLS, PARAMS, Project
from tests.notebook.test_texts import MARKDOWN, SCRIPT

CHANGE = {"sales.sort()": "sales.sort(reverse=True)"}


class TextProject(Project):
    """A project whose notebook is kept as text."""

    suffix = ".py"

    @property
    def path(self) -> Path:
        return super().path.with_suffix(self.suffix)

    @property
    def pair(self) -> Path:
        return super().path


@pytest.fixture(params=[".py", ".md"])
def texts(bare: Project, request: pytest.FixtureRequest) -> TextProject:
    """A project with a text notebook, of which version 1 was made."""
    made = TextProject(bare.settings)
    bare.write(*CELLS)
    as_text(bare.path, bare.path.with_suffix(request.param))
    bare.path.unlink()
    object.__setattr__(made, "suffix", request.param)
    made.export(notebook=f"notebooks/sales{request.param}")
    return made


def as_text(path: Path, other: Path) -> None:
    fmt = "py:percent" if other.suffix == ".py" else "md"
    jupytext.write(jupytext.read(path), other, fmt=fmt)


def paired(project: Project) -> Path:
    """Pair the project's notebook with a text, which is made."""
    document = json.loads(project.path.read_text(encoding="utf-8"))
    document["metadata"]["jupytext"] = {"formats": "ipynb,py:percent"}
    project.path.write_text(json.dumps(document, indent=1), encoding="utf-8")
    text = project.path.with_suffix(".py")
    as_text(project.path, text)
    return text


def test_a_pull_changes_the_cell_of_a_text_and_no_other_line(texts: TextProject) -> None:
    before = texts.path.read_text(encoding="utf-8")
    texts.edit(CHANGE)
    done = pull("sales", 1, texts.settings)
    assert (done.units, done.cells) == (("load",), (4,))
    assert texts.path.read_text(encoding="utf-8") == before.replace(*next(iter(CHANGE.items())))


def test_a_pull_brings_the_text_of_a_pair_along(project: Project) -> None:
    text = paired(project)
    before = text.read_text(encoding="utf-8")
    project.edit(CHANGE)
    assert pull("sales", 1, project.settings).cells == (4,)
    assert "reverse=True" in project.source(4)
    assert text.read_text(encoding="utf-8") == before.replace(*next(iter(CHANGE.items())))


def test_a_pull_leaves_a_pair_alone_whose_text_was_edited_since(project: Project) -> None:
    text = paired(project)
    text.write_text(text.read_text(encoding="utf-8").replace("VAT = 0.2", "VAT = 0.3"), encoding="utf-8")
    before = project.path.read_bytes(), text.read_bytes()
    project.edit(CHANGE)
    with pytest.raises(NotebookError, match="jupytext --sync"):
        pull("sales", 1, project.settings)
    assert (project.path.read_bytes(), text.read_bytes()) == before


def names(project: Project) -> list[tuple[str, tuple[str, ...]]]:
    found = standing(project.settings, installed={})
    return [(row.name, row.pipelines) for row in found if row.kind == "notebook"]


def test_a_text_stands_as_a_notebook_with_its_pipeline(texts: TextProject) -> None:
    assert names(texts) == [(f"notebooks/sales{texts.suffix}", ("sales",))]
    drifts = [drift.what for row in standing(texts.settings, installed={}) for drift in row.drift]
    assert "changed since sales@1" not in drifts
    texts.path.write_text(texts.path.read_text(encoding="utf-8") + _more(texts.suffix), encoding="utf-8")
    drifts = [drift.what for row in standing(texts.settings, installed={}) for drift in row.drift]
    assert "changed since sales@1" in drifts


def _more(suffix: str) -> str:
    return "\n# %%\nlate = 1\n" if suffix == ".py" else "\n```python\nlate = 1\n```\n"


def test_a_pair_counts_once_and_helpers_do_not_count(project: Project) -> None:
    paired(project)
    beside: dict[str, Any] = {"helper.py": SCRIPT, "README.md": "# Notes\n", "report.md": MARKDOWN}
    for name, text in beside.items():
        (project.path.parent / name).write_text(text, encoding="utf-8")
    assert names(project) == [("notebooks/report.md", ()), ("notebooks/sales.ipynb", ("sales",))]


def test_the_pipelines_of_either_file_of_a_pair_have_its_digest(project: Project) -> None:
    assert read_notebook(paired(project)).digest == read_notebook(project.path).digest
    assert PARAMS in project.source(1)
