"""`p2p tag` and `p2p mark`, and what the command says of text notebooks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.adoption.test_cells import MARKDOWN, PERCENT
from tests.building import write_notebook
from tests.cli.conftest import Answer

P2P = Callable[..., Answer]


@pytest.fixture
def path(project: Path) -> Path:
    return write_notebook(project / "notebooks" / "sales.ipynb", "%load_ext p2p", "month = 1", "rows = [month]")


def test_a_cell_is_tagged_and_marked(p2p: P2P, path: Path) -> None:
    told = {"notebook": str(path), "cell": 2, "tags": ["parameters"], "written": True}
    assert p2p("tag", str(path), "2", "parameters", "--json").document == told
    assert p2p("tag", str(path), "2", "parameters", "--json").document == {**told, "written": False}
    told = {"notebook": str(path), "cell": 3, "name": "load", "written": True}
    assert p2p("mark", str(path), "3", "load", "--json").document == told
    assert [parameter["name"] for parameter in p2p("params", str(path), "--json").document] == ["month"]
    shown = p2p("tag", str(path), "2", "parameters", "--remove")
    assert (shown.code, "no tags" in shown.out) == (0, True)
    assert "(as before)" in p2p("tag", str(path), "2", "parameters", "--remove").out
    assert p2p("params", str(path), "--json").document == []


def test_what_cannot_be_done_is_one_paragraph(p2p: P2P, path: Path) -> None:
    before = path.read_bytes()
    p2p("mark", str(path), "2", "month_of")
    marked = path.read_bytes()
    for arguments in (
        ["mark", str(path), "2", "x"],
        ["mark", str(path), "3", "month_of"],
        ["tag", str(path), "9", "x"],
    ):
        refused = p2p(*arguments, "--json")
        assert (refused.code, refused.document["kind"]) == (2, "NotebookError")
    assert (path.read_bytes() == marked, marked == before) == (True, False)


@pytest.mark.parametrize(("name", "text"), [("sales.py", PERCENT), ("sales.md", MARKDOWN)])
def test_a_text_is_a_target_by_its_name_alone(
    p2p: P2P, project: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.chdir(project)
    missing = p2p("run", name)
    assert (missing.code, f"There is no notebook at '{name}'" in missing.err) == (2, True)
    (project / name).write_text(text, encoding="utf-8")
    assert p2p("tag", name, "2", "parameters").code == 0
    assert [parameter["name"] for parameter in p2p("params", name, "--json").document] == ["month"]


def test_a_plain_script_is_refused(p2p: P2P, project: Path) -> None:
    path = project / "notebooks" / "plain.py"
    path.write_text("import math\nprint(math.pi)\n", encoding="utf-8")
    for verb in ("params", "run", "sweep", "adopt", "export"):
        refused = p2p(verb, str(path), *(["-p", "a=1,2"] if verb == "sweep" else []))
        assert (refused.code, "plain script" in refused.err) == (2, True), verb
