"""The page of an executed notebook is nbconvert's own, whatever was made ready before."""

from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter

from p2p.notebook.page import PageMaker

v4 = nbformat.v4


def executed() -> nbformat.NotebookNode:
    """A notebook with outputs of several kinds, equal cells, and cells in another language."""
    result = v4.new_output("execute_result", {"text/plain": "2", "text/html": "<b class='x' onclick='y()'>2</b>"})
    cells = [
        v4.new_markdown_cell("# Title\n<script>alert(1)</script>"),
        v4.new_code_cell("1 + 1", outputs=[result], execution_count=1),
        v4.new_code_cell("1 + 1", outputs=[v4.new_output("stream", text="<i>printed</i>\x1b[31mred\x1b[0m")]),
        v4.new_code_cell("", outputs=[]),
        v4.new_code_cell("SELECT 1 -- <b>", metadata={"magics_language": "sql", "tags": ["a"]}),
        v4.new_code_cell("%%bash\nls <&0"),
        v4.new_code_cell("1/0", outputs=[v4.new_output("error", ename="E", evalue="<i>", traceback=["<i>it</i>"])]),
        v4.new_raw_cell("raw"),
    ]
    language = {"name": "python", "pygments_lexer": "ipython3"}
    return v4.new_notebook(cells=cells, metadata={"language_info": language})


@pytest.fixture
def written(tmp_path: Path) -> Path:
    nbformat.write(executed(), tmp_path / "n.ipynb")
    return tmp_path / "n.ipynb"


def test_a_page_is_what_nbconvert_makes(written: Path) -> None:
    assert PageMaker().page(written) == HTMLExporter().from_filename(str(written))[0]


def test_a_page_that_was_made_ready_for_is_the_same(written: Path) -> None:
    pages = PageMaker()
    pages.begin(executed())
    assert pages.page(written) == HTMLExporter().from_filename(str(written))[0]


def test_code_that_a_cell_had_before_is_not_on_the_page(written: Path) -> None:
    other = executed()
    other.cells[1].source, other.cells[4].metadata = "2 + 2", {}
    pages = PageMaker()
    pages.begin(other)
    assert pages.page(written) == HTMLExporter().from_filename(str(written))[0]


def test_a_document_that_nothing_can_be_made_of_costs_no_page(written: Path) -> None:
    pages = PageMaker()
    pages.begin(None)
    assert "1/0" not in pages.page(written)
    assert 'class="o">/</span>' in pages.page(written)
