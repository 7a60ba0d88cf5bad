"""The panel in a real JupyterLab and a real browser, over a long notebook and a project with a past. `panel STEPS`.

In a project's directory, as `benchmarks.speed.history.with_past` makes it, whose notebook `tiny` is made anew here.
Times are those of the page: from what somebody does until what it leads to is there, looked at before each frame.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

from benchmarks.speed.notebooks import write
from benchmarks.speed.work.timing import report
from p2p.settings import Settings, load_settings
from tests.browser.lab import Page, browser, jupyterlab

NOTEBOOK = Path("notebooks") / "tiny.ipynb"
_PANEL = 2  # the number of the panel's cell, from 0
_LONGEST = 100  # seconds
_MOST_CLICKS = 40
_TIMED = """
const [act, shown, argument, then] = arguments;
const began = performance.now(), is = new Function('argument', `return ${shown}`);
new Function('argument', act)(argument);
const look = () => is(argument) ? then((performance.now() - began) / 1000) : requestAnimationFrame(look);
requestAnimationFrame(look);
"""
_RUN = """
const list = window.jupyterapp.shell.currentWidget.content;
list.deselectAll(); list.activeCellIndex = argument;
window.jupyterapp.commands.execute('notebook:run-cell');
"""
_ROWS = "document.querySelectorAll('tr[data-run]').length == 50"
_WHOLE = "return /^[0-9]+ runs$/.test(document.querySelector('.p2p-count').textContent)"
_TAB = "[...document.querySelectorAll('.p2p-panel [role=tab]')].find(tab => tab.textContent == argument).click()"
_FILTER = (
    "const field = document.querySelector('[id$=-filter]'); field.value = argument;"
    "field.dispatchEvent(new Event('input', {bubbles: true}));"
)
_NODE = "document.querySelector(`[data-step=${argument}]`).dispatchEvent(new MouseEvent('click', {bubbles: true}))"
_ABOUT = "document.querySelector('.p2p-about h3')?.textContent.startsWith(`${argument} `)"
_DONE = "return document.querySelectorAll('.p2p-node[data-state=done]').length"


def cells(steps: int) -> list[str]:
    """Steps in chains, each of which takes a value of one before it."""
    made = [f"%%step s{n}\nx{n} = x{n - 1 if n % 3 else max(n - 7, 0)} + 1" for n in range(1, steps)]
    return ["import p2p\n\np2p.panel()", "%%step s0\nx0 = i", *made]


def timed(page: Page, act: str, shown: str, argument: object = None) -> float:
    """Seconds from an act in the page until something is shown there."""
    return float(page.driver.execute_async_script(_TIMED, act, shown, argument))


def measure(page: Page, settings: Settings, steps: int) -> dict[str, float]:
    """The times, by name, of a notebook that is open."""
    page.driver.set_script_timeout(_LONGEST)
    for number in range(_PANEL):
        timed(
            page, _RUN, "window.jupyterapp.shell.currentWidget.content.widgets[argument].model.executionCount", number
        )
    drawn = f"document.querySelectorAll('.p2p-node').length == {steps}"
    found = {"open_first": timed(page, _RUN, drawn, _PANEL)}
    page.run("document.querySelectorAll('.p2p-panel').forEach(panel => panel.remove()); return true")
    found["open"] = timed(page, _RUN, drawn, _PANEL)
    shutil.rmtree(settings.index, ignore_errors=True)
    began = time.monotonic()
    found["runs_cold"] = timed(page, _TAB, _ROWS, "Runs")
    page.until(_WHOLE, seconds=_LONGEST)
    found["runs_all"] = time.monotonic() - began
    timed(page, _TAB, drawn, "Steps")
    page.run("document.querySelectorAll('tr[data-run]').forEach(row => row.remove()); return true")
    found["runs_warm"] = timed(page, _TAB, _ROWS, "Runs")
    found["filter"] = timed(
        page, _FILTER, "document.querySelector('.p2p-count').textContent == '0 runs'", "no such run"
    )
    found["unfilter"] = timed(page, _FILTER, _ROWS, "")
    return found | {"click": clicked(page, steps)}


def clicked(page: Page, steps: int) -> float:
    """The longest time from a click on a step until it is shown how it stands, while the cells run."""
    timed(page, _TAB, "true", "Steps")
    page.run(
        "const list = window.jupyterapp.shell.currentWidget.content; list.activeCellIndex = arguments[0];"
        "window.jupyterapp.commands.execute('notebook:run-all-below'); return true",
        _PANEL + 1,
    )
    page.until(f"{_DONE} > 0", seconds=_LONGEST)
    longest = 0.0
    for number in range(_MOST_CLICKS):
        if page.run(_DONE) == steps:
            break
        longest = max(longest, timed(page, _NODE, _ABOUT, f"s{number * 7 % steps}"))
        time.sleep(0.2)
    page.until(f"{_DONE} == {steps}", seconds=_LONGEST)
    return longest


def main(steps: int) -> None:
    root = Path.cwd()
    settings = load_settings(root)
    write(root / NOTEBOOK, cells(steps))
    environment = {"P2P_ROOT": str(root), "PYTHONPATH": os.environ["PYTHONPATH"]}
    with jupyterlab(root, **environment) as url, browser() as driver:
        page = Page(driver)
        page.open_notebook(url, NOTEBOOK.as_posix())
        report(**measure(page, settings, steps))


if __name__ == "__main__":
    main(int(sys.argv[1]))
