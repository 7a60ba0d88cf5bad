"""Its rows are in `tests/hostile/test_table.py`; here is what is neither hostile nor refused."""

from __future__ import annotations

from pathlib import Path

from p2p.notebook.destination import check_output


def test_an_earlier_output_may_be_replaced_and_none_need_be_given(tmp_path: Path) -> None:
    (tmp_path / "out.ipynb").write_text("{}", encoding="utf-8")
    (tmp_path / "nb.ipynb").write_text("{}", encoding="utf-8")
    check_output(tmp_path / "out.ipynb", tmp_path / "nb.ipynb")
    check_output(tmp_path / "new" / "folder" / "out.ipynb", tmp_path / "nb.ipynb")
    check_output(None, tmp_path / "nb.ipynb")


def test_a_link_to_the_notebook_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "nb.ipynb").write_text("{}", encoding="utf-8")
    (tmp_path / "link.ipynb").symlink_to(tmp_path / "nb.ipynb")
    check_output(tmp_path / "link.ipynb", tmp_path / "nb.ipynb")
