"""One cell tagged or marked: that, and not a byte more; what cannot be is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from p2p.adoption import mark_cell, tag_cell
from p2p.adoption.editing import untagged
from p2p.errors import AnalysisError, NotebookError
from p2p.notebook import read_notebook
from tests.adoption.test_editing import DOCUMENT, STYLES, is_within
from tests.building import write_notebook

PERCENT = """\
# %%
# %load_ext p2p

# %%
month = 1

# %% [markdown]
# # Load

# %%
rows = [month]
"""
MARKDOWN = "```python\n%load_ext p2p\n```\n\n```python\nmonth = 1\n```\n\n# Load\n\n```python\nrows = [month]\n```\n"
CELLS = ("%load_ext p2p", "month = 1", "## Load", "rows = [month]")


@pytest.fixture(params=["a.ipynb", "a.py", "a.md"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    made = tmp_path / str(request.param)
    if made.suffix == ".ipynb":
        return write_notebook(made, *CELLS)
    made.write_text(PERCENT if made.suffix == ".py" else MARKDOWN, encoding="utf-8")
    return made


def test_a_tag_and_a_mark_are_put_in_and_taken_away_again(path: Path) -> None:
    before = path.read_text(encoding="utf-8")
    assert tag_cell(read_notebook(path), 2, "parameters") is True
    assert tag_cell(read_notebook(path), 2, "parameters") is False
    tagged = path.read_text(encoding="utf-8")
    assert is_within(before, tagged)
    found = read_notebook(path)
    assert found.parameters is not None
    assert [c.source for c in found.cells] == ["%load_ext p2p", "month = 1", "rows = [month]"]
    mark_cell(found, 3, "load")
    assert is_within(tagged, path.read_text(encoding="utf-8"))
    cells = read_notebook(path).cells
    assert [(c.source, c.tags) for c in cells] == [
        ("%load_ext p2p", ()), ("month = 1", ("parameters",)), ("%%step load\nrows = [month]", ()),
    ]  # fmt: skip
    assert tag_cell(read_notebook(path), 2, "parameters", remove=True) is True
    assert tag_cell(read_notebook(path), 2, "parameters", remove=True) is False
    assert read_notebook(path).cells[1].tags == ()
    if path.suffix != ".ipynb":
        mark = "# %%step load\n" if path.suffix == ".py" else "%%step load\n"
        assert path.read_text(encoding="utf-8").replace(mark, "") == before


def test_a_further_tag_keeps_the_others(path: Path) -> None:
    for tag in ("parameters", "größe", "hide-input"):
        tag_cell(read_notebook(path), 2, tag)
    assert read_notebook(path).cells[1].tags == ("hide-input", "größe", "parameters")
    tag_cell(read_notebook(path), 2, "größe", remove=True)
    assert read_notebook(path).cells[1].tags == ("hide-input", "parameters")


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("tags", [["x"], ["x", "y"], ["y", "x"], ["x", "y", "x"], ["a", "x", "b"]])
def test_a_tag_is_taken_out_of_a_file_in_any_style(style: str, tags: list[str]) -> None:
    document = json.loads(json.dumps(DOCUMENT))
    document["cells"][2]["metadata"]["tags"] = tags
    text = STYLES[style](document)
    made = untagged(text, 2, "x")
    assert is_within(made, text)
    document["cells"][2]["metadata"]["tags"] = [tag for tag in tags if tag != "x"]
    assert json.loads(made) == document


@pytest.mark.parametrize(
    ("number", "tag", "says"),
    [
        (9, "x", "no code cell 9.*from 1 to 7"), (0, "x", "no code cell 0"), (3, "a b", "one word"),
        (3, "", "one word"),
        (3, "injected-parameters", "papermill"), (3, "parameters", "in cell 1.*--remove"),
    ],
)  # fmt: skip
def test_a_tag_that_cannot_be_is_refused(tmp_path: Path, number: int, tag: str, says: str) -> None:
    path = crowded(tmp_path)
    before = path.read_bytes()
    with pytest.raises(NotebookError, match=f"(?s){says}"):
        tag_cell(read_notebook(path), number, tag)
    assert path.read_bytes() == before


def crowded(folder: Path) -> Path:
    """A notebook with a cell of each kind that is no step to be."""
    function = "from p2p import step\n\n@step\ndef clean(rows):\n    return rows"
    cells = ["%load_ext p2p", "%%step load\nrows = [k]", function, "%%bash\nls", "%%step ???\n1", "rows = clean(rows)"]
    return write_notebook(folder / "a.ipynb", *cells, params="k = 1")


@pytest.mark.parametrize(
    ("number", "name", "says"),
    [
        (1, "x", "holds the parameters"), (2, "x", "loads p2p"), (3, "x", "has a mark already"),
        (4, "x", "defines steps"), (5, "x", "begins with %%bash"), (6, "x", "has a mark already"),
        (7, "load", "already, in cell 3"), (7, "clean", "already, in cell 4"), (8, "x", "no code cell 8"),
        (7, "two words", "after the name 'two'"), (7, "2x", "not a Python name"), (7, "class", "keyword"),
        (7, "_x", "underscore"), (7, "x(rows)", "name alone"), (7, "x --retries 2", "name alone"), (7, "", "no name"),
        (7, "x\ny", "after the name 'x'|name alone"),
    ],
)  # fmt: skip
def test_a_mark_that_cannot_be_is_refused(tmp_path: Path, number: int, name: str, says: str) -> None:
    path = crowded(tmp_path)
    before = path.read_bytes()
    with pytest.raises((NotebookError, AnalysisError), match=says):
        mark_cell(read_notebook(path), number, name)
    assert path.read_bytes() == before


def test_a_step_cannot_become_the_parameters(tmp_path: Path) -> None:
    path = write_notebook(tmp_path / "a.ipynb", "%%step load\nrows = [1]")
    with pytest.raises(NotebookError, match="is a step"):
        tag_cell(read_notebook(path), 1, "parameters")
