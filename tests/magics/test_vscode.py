"""A kernel that is spoken to as VS Code does: what it is told beforehand, and how the cells are called.

Tried with VS Code 1.139.1 and its Jupyter extension 2026.6.1, from whose sources these are: `gatherInternalStartupCode`
in src/kernels/kernel.ts assigns `__vsc_ipynb_file__` before the first cell, and src/kernels/execution/cellExecution.ts
sends the address of the cell's document as `cellId`, which is no id of the notebook's file.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from p2p.notebook import read_notebook
from p2p.settings import Settings
from tests.building import write_notebook
from tests.magics.kernels import Kernel

REPOSITORY = Path(__file__).resolve().parents[2]
WIDGET = "application/vnd.jupyter.widget-view+json"


class VSCode:
    """VS Code with one notebook open."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("JPY_SESSION_NAME", raising=False)  # no server of Jupyter's starts this kernel
        self.path = path
        self.kernel = Kernel(path.parent)
        self.kernel.client.execute(f'__vsc_ipynb_file__ = "{path}"', silent=True, store_history=False)

    def run(self, cell: str, number: int = 99) -> list[tuple[str, Any]]:
        sent = self.kernel.run(cell, f"vscode-notebook-cell:{self.path}#W{number}sZmlsZQ%3D%3D")
        assert [content for kind, content in sent if kind == "error"] == []
        return sent

    def run_all(self) -> None:
        for number, cell in enumerate(read_notebook(self.path).cells):
            self.run(cell.source, number)


@pytest.fixture
def open_notebook(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., VSCode]]:
    opened: list[VSCode] = []

    def begin(*cells: str, params: str) -> VSCode:
        shutil.copyfile(REPOSITORY / "requirements.lock", settings.root / "requirements.lock")
        path = write_notebook(settings.root / "notebooks" / "sales.ipynb", "%load_ext p2p", *cells, params=params)
        opened.append(VSCode(path, monkeypatch))
        return opened[-1]

    yield begin
    for one in opened:
        one.kernel.close()


def shown(sent: list[tuple[str, Any]]) -> dict[str, Any]:
    """What the last output of a cell can be shown as, by its kind."""
    return dict([content["data"] for kind, content in sent if kind in ("execute_result", "display_data")][-1])


def printed(sent: list[tuple[str, Any]]) -> str:
    return "".join(content["text"] for kind, content in sent if kind == "stream")


def test_its_cells_steps_and_commands_are_those_of_the_notebook_that_it_names(
    open_notebook: Callable[..., VSCode], settings: Settings
) -> None:
    code = open_notebook("%%step load\nrows = list(range(n))", "%%step total\nresult = sum(rows)", params="n: int = 3")
    code.run_all()
    status = shown(code.run("%p2p status"))["text/plain"]
    assert status.startswith("sales.ipynb: 2 done"), status
    assert [line.split()[1] for line in status.splitlines()[1:3]] == ["load", "total"], status

    code.run("%%step total\nresult = sum(rows) + 1", 3)  # edited, not saved; the document's address stays
    assert "stale" in shown(code.run("%p2p status"))["text/plain"]
    code.run("%p2p run --stale")
    assert "stale" not in shown(code.run("%p2p status"))["text/plain"]

    said = printed(code.run("%p2p export"))
    assert "sales" in said
    manifest = json.loads((settings.root / "pipelines" / "sales" / "v1" / "manifest.json").read_text(encoding="utf-8"))
    assert [step["name"] for step in manifest["steps"]] == ["load", "total"]


def test_its_panel_is_a_widget_with_a_table_beside_it_and_answers(open_notebook: Callable[..., VSCode]) -> None:
    code = open_notebook("%%step load\nrows = list(range(n))", params="n: int = 3")
    code.run_all()
    sent = code.run("import p2p\npanel = p2p.panel()\npanel")
    bundle = shown(sent)
    assert [kind for kind in ("text/html", "text/plain") if "load" not in bundle[kind]] == []
    opened = [content for kind, content in sent if kind == "comm_open"]
    model = next(one for one in opened if one["comm_id"] == bundle[WIDGET]["model_id"])
    assert model["data"]["state"]["_model_module"] == "anywidget"

    asked = {"method": "custom", "content": {"id": 1, "ask": "steps"}}
    message = code.kernel.client.session.msg("comm_msg", {"comm_id": model["comm_id"], "data": asked})
    code.kernel.client.shell_channel.send(message)
    while True:
        heard = code.kernel.client.get_iopub_msg(timeout=60)
        if heard["msg_type"] == "comm_msg" and heard["content"]["data"].get("method") == "custom":
            break
    answer = heard["content"]["data"]["content"]["answer"]
    assert (answer["notebook"], [node["name"] for node in answer["nodes"]]) == ("sales.ipynb", ["load"])
