from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from p2p.errors import NotebookError
from p2p.notebook import parameters_of, read_notebook
from tests.building import notebook, write_notebook


def save(path: Path, document: Any) -> Path:
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def test_code_cells_are_counted_as_people_count_them_and_know_their_heading(tmp_path: Path) -> None:
    read = read_notebook(write_notebook(tmp_path / "a.ipynb", "x = 1", "## The data", "y = 2", params="k: int = 1"))
    assert [(c.number, c.index, c.source, c.heading) for c in read.cells] == [
        (1, 0, "k: int = 1", ""), (2, 1, "x = 1", ""), (3, 3, "y = 2", "The data")
    ]  # fmt: skip
    assert read.parameters is read.cells[0]


def test_a_cell_that_vs_code_has_in_another_language_is_refused_and_a_cell_magic_is_not(tmp_path: Path) -> None:
    document = notebook("x = 1", "%%bash\nls", "select 1")
    for cell, language in zip(document["cells"], ("python", "shellscript", "sql"), strict=True):
        cell["metadata"]["vscode"] = {"languageId": language}
    path = save(tmp_path / "a.ipynb", document)
    with pytest.raises(NotebookError, match=r"Code cell 3 of .* is written in 'sql'.*Choose Python"):
        read_notebook(path)
    document["cells"][2]["metadata"]["vscode"] = "odd"
    assert len(read_notebook(save(path, document)).cells) == 3


def test_the_digest_is_of_the_code_and_not_of_output_or_prose(tmp_path: Path) -> None:
    document = notebook("x = 1", "## Title", "y = 2", params="k: int = 1")
    digest = read_notebook(save(tmp_path / "a.ipynb", document)).digest

    def changed(**cell: Any) -> str:
        other = json.loads(json.dumps(document))
        other["cells"][cell.pop("at")].update(cell)
        return read_notebook(save(tmp_path / "b.ipynb", other)).digest

    output = {"output_type": "stream", "name": "stdout", "text": "1"}
    assert changed(at=1, outputs=[output], execution_count=7) == digest
    assert changed(at=2, source="# Other") == digest
    assert changed(at=1, source="x = 2") != digest
    assert changed(at=0, metadata={"tags": []}) != digest


def test_a_cell_that_papermill_injected_is_no_code_of_the_notebook(tmp_path: Path) -> None:
    document = notebook("x = 1", params="k: int = 1")
    digest = read_notebook(save(tmp_path / "a.ipynb", document)).digest
    injected = {**document["cells"][1], "source": "k = 9", "metadata": {"tags": ["injected-parameters"]}}
    document["cells"].insert(1, injected)
    assert read_notebook(save(tmp_path / "a.ipynb", document)).digest == digest


def test_source_may_be_a_list_of_lines(tmp_path: Path) -> None:
    document = notebook("x = 1\ny = 2")
    document["cells"][0]["source"] = ["x = 1\n", "y = 2"]
    assert read_notebook(save(tmp_path / "a.ipynb", document)).cells[0].source == "x = 1\ny = 2"


def test_a_notebook_without_a_parameters_cell_has_no_parameters(tmp_path: Path) -> None:
    assert parameters_of(read_notebook(write_notebook(tmp_path / "a.ipynb", "x = 1"))).describe() == []


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("{", "not valid JSON"),
        ("[]", "no 'nbformat'"),
        ({"nbformat": 3, "worksheets": []}, "format 3"),
        ({"nbformat": 4, "cells": [], "metadata": {"kernelspec": {"language": "R"}}}, "written in R"),
    ],
)
def test_what_is_no_python_notebook_is_said_so(tmp_path: Path, document: Any, says: str) -> None:
    with pytest.raises(NotebookError, match=says):
        read_notebook(save(tmp_path / "a.ipynb", document))


def test_a_misspelt_path_is_told_its_nearest_neighbour(tmp_path: Path) -> None:
    write_notebook(tmp_path / "flights.ipynb", "x = 1")
    with pytest.raises(NotebookError, match=r"Did you mean '.*flights\.ipynb'"):
        read_notebook(tmp_path / "fligths.ipynb")
