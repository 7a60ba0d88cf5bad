"""Which notebooks are converted, and what is copied with them."""

from __future__ import annotations

from pathlib import Path

from benchmarks.convert.sources import NAME, found
from tests.benchmarks.made import DRAWN, SORTED, notebook


def test_a_folder_is_searched_at_any_depth_without_checkpoints(tmp_path: Path) -> None:
    notebook(tmp_path / "a" / "deep" / "sorted.ipynb", SORTED)
    notebook(tmp_path / "b" / "drawn.ipynb", DRAWN)
    notebook(tmp_path / "b" / ".ipynb_checkpoints" / "drawn-checkpoint.ipynb", DRAWN)
    assert [source.name for source in found(tmp_path)] == ["a/deep/sorted.ipynb", "b/drawn.ipynb"]


def test_a_list_names_notebooks_a_line_each(tmp_path: Path) -> None:
    one = notebook(tmp_path / "a" / "sorted.ipynb", SORTED)
    notebook(tmp_path / "b" / "drawn.ipynb", DRAWN)
    (tmp_path / "list.txt").write_text(f"# two\n{one}\n\nb/drawn.ipynb\n")
    assert [source.name for source in found(tmp_path / "list.txt")] == ["a/sorted.ipynb", "b/drawn.ipynb"]


def test_a_copy_has_what_the_notebook_may_read_and_no_other_notebook(tmp_path: Path) -> None:
    notebook(tmp_path / "in" / "repository" / "lessons" / "sorted.ipynb", SORTED)
    notebook(tmp_path / "in" / "repository" / "lessons" / "other.ipynb", SORTED)
    (tmp_path / "in" / "repository" / "style.css").write_text("x")
    (tmp_path / "in" / "elsewhere.csv").write_text("x")
    copy = found(tmp_path / "in")[1].copied(tmp_path / "copy")
    assert copy == tmp_path / "copy" / "lessons" / f"{NAME}.ipynb"
    assert sorted(path.name for path in (tmp_path / "copy").rglob("*")) == [f"{NAME}.ipynb", "lessons", "style.css"]


def test_a_folder_that_is_one_repository_is_copied_whole(tmp_path: Path) -> None:
    notebook(tmp_path / "lessons" / "sorted.ipynb", SORTED)
    (tmp_path / "README.md").write_text("x")
    assert found(tmp_path)[0].top == tmp_path
