"""What is in the file of results is not done again, unless the notebook has changed."""

from __future__ import annotations

from pathlib import Path

from benchmarks.convert.keeping import Kept
from benchmarks.convert.plain import Plain
from benchmarks.convert.sources import found
from tests.benchmarks.made import DRAWN, SORTED, notebook


def test_a_later_table_finds_the_results_of_an_earlier_one(tmp_path: Path) -> None:
    notebook(tmp_path / "in" / "sorted.ipynb", SORTED)
    (source,) = found(tmp_path / "in")
    Kept(tmp_path / "kept.jsonl").add("plain", source, Plain(final={"x": "1"}))
    again = Kept(tmp_path / "kept.jsonl")
    assert Plain(**(again.get("plain", source) or {})) == Plain(final={"x": "1"})
    assert again.get("p2p", source) is None


def test_another_text_under_the_same_name_is_another_notebook(tmp_path: Path) -> None:
    path = notebook(tmp_path / "in" / "sorted.ipynb", SORTED)
    (source,) = found(tmp_path / "in")
    kept = Kept(tmp_path / "kept.jsonl")
    kept.add("plain", source, Plain())
    notebook(path, DRAWN)
    assert kept.get("plain", source) is None


def test_a_line_that_was_cut_short_is_done_again(tmp_path: Path) -> None:
    notebook(tmp_path / "in" / "sorted.ipynb", SORTED)
    (source,) = found(tmp_path / "in")
    file = tmp_path / "kept.jsonl"
    Kept(file).add("plain", source, Plain())
    whole = file.read_text()
    file.write_text(whole[: len(whole) // 2])
    Kept(file).add("p2p", source, Plain(seconds=1.0))
    assert Kept(file).get("plain", source) is None
    assert (Kept(file).get("p2p", source) or {})["seconds"] == 1.0
