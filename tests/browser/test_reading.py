"""Who cannot see or click: screen readers, by axe-core, and papermill, nbconvert and GitHub, which show no widgets."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import nbformat
import pytest

from p2p.notebook import RunOptions, run_notebook
from p2p.settings import Settings
from tests.browser.lab import Page

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
AXE = files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
TABS = ("Steps", "Parameters", "Runs", "Ship")


def serious(page: Page) -> list[str]:
    """What axe-core finds in the panel that is serious or critical."""
    page.run(AXE)
    page.run(
        "window.found = null;"
        "axe.run('.p2p-panel').then(all => { window.found = {violations: all.violations} }); return true"
    )
    found: list[dict[str, Any]] = page.until("return window.found")["violations"]
    return [
        f"{one['id']}: {one['help']}: {node['html'][:200]} {node.get('failureSummary', '')[:200]}"
        for one in found if one["impact"] in ("serious", "critical") for node in one["nodes"]
    ]  # fmt: skip


def open_panel(page: Page, url: str) -> None:
    page.open_notebook(url, "notebooks/hostile.ipynb")
    page.run_cells()
    page.until("return document.querySelector('.p2p-node[data-state=failed]')", seconds=120)
    page.click(".p2p-node[data-step=bad]")
    page.until("return document.querySelector('.p2p-about .p2p-code')")


def test_the_panel_can_be_read_and_reached_by_everybody(lab: str, page: Page) -> None:
    open_panel(page, lab)
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        page.theme(theme)
        assert {name: found for name in TABS if (found := serious_in(page, name))} == {}


def serious_in(page: Page, tab: str) -> list[str]:
    page.tab(tab)
    page.until("return [...document.querySelectorAll('.p2p-tab')].some(t => !t.hidden && t.children.length > 1)")
    if tab == "Runs":
        page.until("return document.querySelector('tr[data-run]')")
    if tab == "Parameters":
        page.until("return document.querySelector('[name=note]')")
    return serious(page)


def test_a_headless_run_shows_a_table_that_can_be_read_anywhere(project: Settings) -> None:
    done = run_notebook(project.root / "notebooks" / "set_order.ipynb", project, options=RunOptions())
    assert done.executed is not None
    outputs = nbformat.read(done.executed, 4).cells[1].outputs
    assert [sorted(output.data) for output in outputs] == [["text/html", "text/plain"]]
    assert outputs[0].data["text/plain"].startswith("set_order.ipynb: 1 has not run here")
    assert "<table" in outputs[0].data["text/html"]
    assert not any(word in outputs[0].data["text/html"] for word in ("<script", "http", "<style"))
    page = Path(done.executed).with_suffix(".html").read_text(encoding="utf-8")
    assert "has not run here" in page


def test_a_notebook_that_was_saved_with_a_panel_has_the_table_beside_it(
    lab: str, page: Page, project: Settings
) -> None:
    page.open_notebook(lab, "notebooks/set_order.ipynb")
    page.run_cells()
    page.wait_for_cells()
    page.run("window.jupyterapp.commands.execute('docmanager:save'); return true")
    path = project.root / "notebooks" / "set_order.ipynb"
    page.until("return !window.jupyterapp.shell.currentWidget.model.dirty")
    (output,) = json.loads(path.read_text(encoding="utf-8"))["cells"][1]["outputs"]
    assert {"text/html", "text/plain", "application/vnd.jupyter.widget-view+json"} <= {*output["data"]}
    assert "set_order.ipynb" in "".join(output["data"]["text/plain"])
