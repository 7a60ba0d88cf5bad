"""Notebooks that are kept as text: what is read of them, and that an edit changes only what it means to."""

from __future__ import annotations

import builtins
import importlib
from pathlib import Path
from typing import Any

import pytest

from p2p.errors import NotebookError
from p2p.notebook import parameters_of, read_notebook
from p2p.notebook.loading import load_notebook, load_to_run
from p2p.notebook.texts import counts_as_notebook, rewrite_text
from tests.building import write_notebook

PERCENT = """\
# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.2'
#       jupytext_version: 1.0.0
# ---

# %% [markdown]
# # The data

# %%
# %load_ext p2p

# %% tags=["parameters"]
month: int = 1

# %%
# %%step load --retries 2
rows = [month]
# !ls
"""
LIGHT = """\
# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: light
# ---

# # The data

# %load_ext p2p

# + tags=["parameters"]
month: int = 1

# +
# %%step load --retries 2
rows = [month]

# !ls
"""
MARKDOWN = """\
# The data

```python
%load_ext p2p
```

```python tags=["parameters"]
month: int = 1
```

```python
%%step load --retries 2
rows = [month]
!ls
```
"""
R_MARKDOWN = """\
# The data

```{python}
# %load_ext p2p
```

```{python tags=c("parameters")}
month: int = 1
```

```{python}
# %%step load --retries 2
rows = [month]
# !ls
```
"""
TEXTS = {"a.py": PERCENT, "light.py": LIGHT, "a.md": MARKDOWN, "a.Rmd": R_MARKDOWN}
_END = "# ---\n\n"
SCRIPT = "import math\n\n\ndef area(r):\n    return math.pi * r**2\n\n\n# %%step is no mark here\nprint(area(2))\n"


def save(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", TEXTS)
def test_cells_marks_and_tags_are_read_as_from_a_notebook(tmp_path: Path, name: str) -> None:
    read = read_notebook(save(tmp_path / name, TEXTS[name]))
    blank = "\n" if name == "light.py" else ""  # a blank line keeps jupytext from ending the cell there
    assert [(c.number, c.index, c.source, c.heading) for c in read.cells] == [
        (1, 1, "%load_ext p2p", "The data"), (2, 2, "month: int = 1", "The data"),
        (3, 3, f"%%step load --retries 2\nrows = [month]\n{blank}!ls", "The data"),
    ]  # fmt: skip
    assert read.parameters is read.cells[1]
    assert [p["name"] for p in parameters_of(read).describe()] == ["month"]


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_read_twice_is_the_same_document_with_ids(tmp_path: Path, name: str) -> None:
    path = save(tmp_path / name, TEXTS[name])
    assert load_notebook(path) == load_notebook(path)
    to_run = load_to_run(path)
    assert to_run == load_to_run(path)
    assert "jupytext" not in to_run.metadata
    ids = [cell["id"] for cell in to_run.cells]
    assert len(set(ids)) == 4


def test_cells_that_are_alike_have_ids_of_their_own_and_a_new_cell_changes_none(tmp_path: Path) -> None:
    ids = [c.id for c in read_notebook(save(tmp_path / "a.py", "# %%\nx = 1\n\n# %%\nx = 1\n")).cells]
    more = [c.id for c in read_notebook(save(tmp_path / "a.py", "# %%\ny\n\n# %%\nx = 1\n\n# %%\nx = 1\n")).cells]
    assert len(set(ids)) == 2
    assert more[1:] == ids


@pytest.mark.parametrize("name", ["a.py", "a.md", "a.Rmd"])
def test_both_files_of_a_pair_have_one_digest(tmp_path: Path, name: str) -> None:
    cells = ["%load_ext p2p", "## The data", "%%step load --retries 2\nrows = [month]\n!ls"]
    path = write_notebook(tmp_path / "a.ipynb", *cells, params="month: int = 1")
    document = load_notebook(path)
    jupytext = importlib.import_module("jupytext")
    text = jupytext.writes(importlib.import_module("nbformat").from_dict(document), fmt=name[2:])
    other = save(tmp_path / name, text)
    assert read_notebook(other).digest == read_notebook(path).digest
    save(other, text.replace("rows = [month]", "rows = []"))
    assert read_notebook(other).digest != read_notebook(path).digest


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.py", SCRIPT, "plain script.*Put a line `# %%`"),
        ("a.md", "# Title\n\n```\nls\n```\n", "no code cells.*```python"),
        ("a.md", "---\njupyter: [\n---\n\n```python\n1\n```\n", "can read"),
        (
            "a.py",
            PERCENT.replace(
                _END, "#   kernelspec:\n#     display_name: R\n#     name: ir\n#     language: R\n# ---\n\n"
            ),
            "in R",
        ),
        ("a.md", MARKDOWN.replace("```python", "```julia"), "in julia"),
        ("a.py", "# %% tags=3\nx = 1\n", "can read"),
        ("a.py", "", "is empty"),
    ],
)
def test_what_is_no_python_notebook_is_said_so(tmp_path: Path, name: str, text: str, says: str) -> None:
    with pytest.raises(NotebookError, match=f"(?s){says}"):
        read_notebook(save(tmp_path / name, text))


def test_without_jupytext_the_error_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == "jupytext":
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    real = builtins.__import__
    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(NotebookError, match=r"pip install 'p2p-toolkit\[jupytext\]'"):
        read_notebook(save(tmp_path / "a.md", MARKDOWN))
    with pytest.raises(NotebookError, match="plain script"):
        read_notebook(save(tmp_path / "a.py", SCRIPT))


def edit(cells: list[Any]) -> None:
    cells[3].source = cells[3].source.replace("[month]", "[month, 2]")
    cells[1].metadata["tags"] = ["setup"]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("name", TEXTS)
def test_an_edit_leaves_every_other_line_and_the_header_as_they_are(tmp_path: Path, name: str, ends: str) -> None:
    text = TEXTS[name].replace("\n", ends)
    made = rewrite_text(tmp_path / name, text, edit)
    before, after = text.split("\n"), made.split("\n")
    changed = {line.rstrip("\r") for line in before if line not in after}
    assert changed <= {"rows = [month]", "# %%", "```python", "```{python}"}
    assert "rows = [month, 2]" + ends in made
    assert made.replace("\r\n", "").count("\r") == 0
    assert read_notebook(save(tmp_path / name, made)).cells[0].tags == ("setup",)


def test_what_jupytext_would_write_differently_is_not_edited(tmp_path: Path) -> None:
    text = PERCENT.replace("# %load_ext", "%load_ext")
    with pytest.raises(NotebookError, match=r"jupytext --to py:percent .*a\.py"):
        rewrite_text(tmp_path / "a.py", text, edit)


def test_what_the_format_cannot_hold_is_refused(tmp_path: Path) -> None:
    def in_two(cells: list[Any]) -> None:
        cells[1].source += "\n# %%\nx = 1"

    with pytest.raises(NotebookError, match="does not hold"):
        rewrite_text(tmp_path / "a.py", PERCENT, in_two)


@pytest.mark.parametrize(
    ("name", "text", "counts"),
    [
        ("a.py", PERCENT, True), ("a.py", LIGHT, True), ("a.py", "# %%\n1\n", True), ("a.py", SCRIPT, False),
        ("a.md", MARKDOWN, True), ("a.md", "# Read me\n\n```python\nimport p2p\n```\n", False),
        ("a.md", "---\njupyter:\n  jupytext:\n    formats: md\n---\n\n```python\n1\n```\n", True),
        ("a.md", "---\ntitle: x\n---\n", False), ("a.Rmd", R_MARKDOWN, True),
    ],
)  # fmt: skip
def test_helpers_and_prose_beside_notebooks_are_none(tmp_path: Path, name: str, text: str, counts: bool) -> None:
    path = save(tmp_path / name, text)
    assert counts_as_notebook(path) is counts
    write_notebook(tmp_path / "a.ipynb", "x = 1")
    assert counts_as_notebook(path) is False
