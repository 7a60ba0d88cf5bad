"""A pair's files after an edit of one: both have it, or neither was touched."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from p2p.errors import NotebookError
from p2p.notebook import read_notebook
from p2p.notebook.rewriting import rewrite
from tests.building import notebook


@dataclass(frozen=True)
class Renamed:
    """Another name in all files."""

    old: str = "rows"
    new: str = "lines"

    def in_json(self, text: str, places: Mapping[int, int]) -> str:
        return text.replace(self.old, self.new)

    def in_cells(self, cells: list[Any], places: Mapping[int, int]) -> None:
        cells[places[2]].source = cells[places[2]].source.replace(self.old, self.new)


def pair(folder: Path, formats: str = "ipynb,py:percent") -> list[Path]:
    """A notebook and the texts that it is paired with, as jupytext writes them."""
    document = notebook("## The data", "%%step load\nrows = [1]", params="month: int = 1")
    document["metadata"]["jupytext"] = {"formats": formats}
    path = folder / "notebooks" / "a.ipynb"
    path.parent.mkdir()
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")
    jupytext = importlib.import_module("jupytext")
    names = importlib.import_module("jupytext.paired_paths")
    formats_known = importlib.import_module("jupytext.formats").long_form_multiple_formats(formats)
    _, own = names.find_base_path_and_format(str(path), formats_known)
    for other, fmt in names.paired_paths(str(path), own, formats_known):
        if other != str(path):
            Path(other).parent.mkdir(exist_ok=True)
            jupytext.write(jupytext.read(path), other, fmt=fmt)
    return sorted(file for file in folder.rglob("*") if file.is_file())


@pytest.mark.parametrize(
    "formats", ["ipynb,py:percent", "ipynb,md", "ipynb,py:light,Rmd", "notebooks///ipynb,texts///py:percent"]
)
@pytest.mark.parametrize("first", [0, -1])
def test_an_edit_of_one_file_is_made_in_all_of_the_pair(tmp_path: Path, formats: str, first: int) -> None:
    files = pair(tmp_path, formats)
    before = {file: file.read_text(encoding="utf-8") for file in files}
    assert len(files) == formats.count(",") + 1
    rewrite(read_notebook(files[first]), Renamed(), "pull")
    for file in files:
        assert file.read_text(encoding="utf-8") == before[file].replace("rows", "lines"), file
    digests = {read_notebook(file).digest for file in files}
    assert len(digests) == 1
    ipynb, *texts = sorted(files, key=lambda file: file.suffix != ".ipynb")
    assert all(text.stat().st_mtime_ns >= ipynb.stat().st_mtime_ns for text in texts)


@pytest.mark.parametrize("first", [0, 1])
def test_a_pair_that_has_come_apart_is_not_touched(tmp_path: Path, first: int) -> None:
    files = pair(tmp_path)
    files[1].write_text(files[1].read_text(encoding="utf-8") + "\nlate = 1\n", encoding="utf-8")
    before = [file.read_bytes() for file in files]
    with pytest.raises(NotebookError, match=r"other code cells.*jupytext --sync"):
        rewrite(read_notebook(files[first]), Renamed(), "pull")
    assert [file.read_bytes() for file in files] == before


def test_a_partner_that_cannot_be_edited_keeps_the_notebook_as_it_is(tmp_path: Path) -> None:
    files = pair(tmp_path)
    files[1].write_text(files[1].read_text(encoding="utf-8").replace("# %%step", "%%step"), encoding="utf-8")
    before = [file.read_bytes() for file in files]
    with pytest.raises(NotebookError, match="cannot be edited"):
        rewrite(read_notebook(files[0]), Renamed(), "pull")
    assert [file.read_bytes() for file in files] == before


def test_a_partner_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    ipynb, text = pair(tmp_path)
    text.unlink()
    rewrite(read_notebook(ipynb), Renamed(), "pull")
    assert not text.exists()
    assert "lines" in read_notebook(ipynb).cells[1].source


def test_a_pairing_that_is_not_understood_is_refused(tmp_path: Path) -> None:
    ipynb, _ = pair(tmp_path)
    ipynb.write_text(ipynb.read_text(encoding="utf-8").replace("ipynb,py:percent", "ipynb,py:none"), encoding="utf-8")
    with pytest.raises(NotebookError, match=r"pairing of .*'ipynb,py:none'.* is not understood"):
        rewrite(read_notebook(ipynb), Renamed(), "pull")


@pytest.mark.parametrize("which", [0, 1])
def test_code_that_has_changed_since_is_refused_and_prose_that_has_is_not(tmp_path: Path, which: int) -> None:
    path = pair(tmp_path, "ipynb,py:percent" if which else "ipynb")[which]
    if which:
        path.with_suffix(".ipynb").unlink()
    read, text = read_notebook(path), path.read_text(encoding="utf-8")
    with_prose = "# %% [markdown]\n# Prose\n\n" + text[text.index("# %%") :] if which else _with_prose(text)
    path.write_text(with_prose, encoding="utf-8")
    rewrite(read, Renamed(), "pull")
    assert path.read_text(encoding="utf-8") == with_prose.replace("rows", "lines")
    with pytest.raises(NotebookError, match=r"changed meanwhile.*Run p2p pull again"):
        rewrite(read, Renamed(), "pull")


def _with_prose(text: str) -> str:
    document = json.loads(text)
    document["cells"].insert(0, {"cell_type": "markdown", "id": "prose", "metadata": {}, "source": "Prose"})
    return json.dumps(document, indent=1)


def test_a_cell_that_ends_in_a_blank_line_which_the_text_leaves_out_is_no_difference(tmp_path: Path) -> None:
    ipynb, text = pair(tmp_path)
    ipynb.write_text(ipynb.read_text(encoding="utf-8").replace("rows = [1]", "rows = [1]\\n"), encoding="utf-8")
    rewrite(read_notebook(ipynb), Renamed(), "pull")
    assert [read_notebook(path).cells[1].source for path in (ipynb, text)] == [
        "%%step load\nlines = [1]\n", "%%step load\nlines = [1]",
    ]  # fmt: skip
