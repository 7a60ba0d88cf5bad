"""Takes the pictures of the panel anew, each tab in a light and a dark theme: a part of `make pictures`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from selenium import webdriver

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))
from tests.browser.lab import Page, browser, jupyterlab  # noqa: E402  # found by the line above

NOTEBOOK = "notebooks/flight_delays.ipynb"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        make_project(project)
        for theme in ("Light", "Dark"):
            environment = {"P2P_ROOT": str(project), "PYTHONPATH": str(ROOT)}
            with jupyterlab(project, **environment) as url, browser() as driver:
                take(Page(driver), driver, url, theme)


def make_project(project: Path) -> None:
    """The flight notebook with a panel in it, a version of it, and runs of two months."""
    (project / "notebooks").mkdir(parents=True)
    (project / "pyproject.toml").touch()
    (project / "requirements.lock").write_bytes((ROOT / "requirements.lock").read_bytes())
    notebook = nbformat.read(ROOT / NOTEBOOK, 4)
    first = next(n for n, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    notebook.cells.insert(first + 1, nbformat.v4.new_code_cell("import p2p\n\np2p.panel()"))
    nbformat.write(notebook, project / NOTEBOOK)
    for command in (["export", NOTEBOOK], ["run", NOTEBOOK, "-p", "month=2"], ["run", NOTEBOOK, "-p", "month=3"]):
        environment = {**os.environ, "P2P_ROOT": str(project), "UV_OFFLINE": "1"}
        subprocess.run([sys.executable, "-m", "p2p", *command], cwd=project, env=environment, check=True)


def take(page: Page, driver: webdriver.Chrome, url: str, theme: str) -> None:
    page.open_notebook(url, NOTEBOOK)
    page.theme(f"JupyterLab {theme}")
    for hidden in ("filebrowser:hide-main", "statusbar:toggle"):
        page.run("window.jupyterapp.commands.execute(arguments[0]); return true", hidden)
    page.run_cells()
    page.wait_for_cells()
    page.click(".p2p-node[data-step=clean]")
    page.until("return document.querySelector('.p2p-about .p2p-code')")
    picture(page, driver, f"steps-{theme.lower()}")
    page.tab("Parameters")
    page.fill("[name=month]", "13")
    page.until("return document.querySelector('[aria-invalid=true]')")
    picture(page, driver, f"parameters-{theme.lower()}")
    page.tab("Runs")
    page.until("return document.querySelectorAll('tr[data-run]').length > 2")
    for row in (2, 3):
        page.click(f"tr[data-run]:nth-child({row}) input")
    page.click(".p2p-panel button", "Compare two")
    page.until("return document.querySelector('[aria-label=Differences]')")
    picture(page, driver, f"runs-{theme.lower()}")
    page.tab("Ship")
    page.until("return document.querySelector('[aria-label=Versions]')")
    picture(page, driver, f"ship-{theme.lower()}")


def picture(page: Page, driver: webdriver.Chrome, name: str) -> None:
    page.run("document.querySelector('.p2p-panel').scrollIntoView(); document.activeElement.blur(); return true")
    time.sleep(1)  # scrolling is smooth
    panel = driver.find_element("css selector", ".p2p-panel")
    if not panel.screenshot(str(HERE / f"panel-{name}.png")):
        raise RuntimeError(f"the picture {name} could not be written")


if __name__ == "__main__":
    main()
