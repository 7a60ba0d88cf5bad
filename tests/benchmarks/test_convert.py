"""The whole command, on two notebooks of our own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.convert.__main__ import main
from tests.benchmarks.made import DRAWN, SORTED, notebook


@pytest.mark.soak
def test_one_notebook_is_exported_equal_and_the_other_is_refused_with_a_right_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook(tmp_path / "in" / "drawn.ipynb", DRAWN)
    notebook(tmp_path / "in" / "sorted.ipynb", SORTED)
    arguments = [str(tmp_path / "in"), "--json", "--keep", str(tmp_path / "kept.jsonl")]
    assert main(arguments) == 0
    first = json.loads(capsys.readouterr().out)["notebooks"]
    assert first["sorted.ipynb"]["p2p"]["outcome"] == "equal"
    assert first["sorted.ipynb"]["p2p"]["compared"] >= 2
    assert first["drawn.ipynb"]["p2p"]["outcome"] == "refused"
    assert first["drawn.ipynb"]["p2p"]["right_reason"]
    assert main(arguments) == 0
    again = capsys.readouterr()
    assert json.loads(again.out)["notebooks"] == first
    assert again.err == ""  # nothing was run again
