"""What `p2p adopt --write` makes of a notebook that is kept as text, alone and in a pair."""

from __future__ import annotations

import json
from pathlib import Path

import jupytext
import pytest

from p2p.adoption import mark, propose
from p2p.notebook import read_notebook
from tests.building import notebook

CELLS = ("## Load", "SHARE = 0.5", "rows = [SHARE]", "## Sum up", "total = sum(rows)")
ADOPTED = [
    ("%load_ext p2p", ()), ("SHARE = 0.5", ("parameters",)), ("%%step load\nrows = [SHARE]", ()),
    ("%%step sum_up\ntotal = sum(rows)", ()),
]  # fmt: skip


def written(path: Path, formats: str = "") -> Path:
    """The cells as a notebook, in the format that the path's suffix tells."""
    document = notebook(*CELLS)
    document["metadata"] = {"jupytext": {"formats": formats}} if formats else {}
    whole = jupytext.reads(json.dumps(document), fmt="ipynb")
    jupytext.write(whole, path, fmt={".py": "py:percent", ".md": "md", ".Rmd": "Rmd", ".ipynb": "ipynb"}[path.suffix])
    return path


def cells(path: Path) -> list[tuple[str, tuple[str, ...]]]:
    return [(cell.source, cell.tags) for cell in read_notebook(path).cells]


@pytest.mark.parametrize("name", ["a.ipynb", "a.py", "a.md", "a.Rmd"])
def test_a_notebook_of_any_kind_is_adopted(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / name)
    before = path.read_text(encoding="utf-8").splitlines()
    mark(propose(read_notebook(path)))
    assert cells(path) == ADOPTED
    if path.suffix in (".py", ".md"):
        after = path.read_text(encoding="utf-8").splitlines()
        assert [line for line in before if line not in after] == []


@pytest.mark.parametrize(("one", "other"), [("a.ipynb", "a.py"), ("a.py", "a.ipynb"), ("a.ipynb", "a.md")])
def test_both_files_of_a_pair_are_adopted(tmp_path: Path, one: str, other: str) -> None:
    texts = {"a.py": "ipynb,py:percent", "a.md": "ipynb,md"}
    formats = next(texts[name] for name in (one, other) if name in texts)
    first, second = written(tmp_path / one, formats), written(tmp_path / other, formats)
    mark(propose(read_notebook(first)))
    assert cells(first) == cells(second) == ADOPTED
