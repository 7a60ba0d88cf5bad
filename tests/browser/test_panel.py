"""The panel in JupyterLab, from the first look at the flight notebook to its export, as somebody would use it."""

from __future__ import annotations

import re

import pytest

from p2p.settings import Settings
from tests.browser.conftest import HOSTILE
from tests.browser.lab import Page

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

NODES = "Object.fromEntries([...document.querySelectorAll('.p2p-node')].map(n => [n.dataset.step, n.dataset.state]))"
CHOSEN = "return document.querySelector('.p2p-panel [role=tab][aria-selected=true]').textContent"
TOLD = "return document.querySelector('.p2p-about .p2p-code')"  # by the kernel
# Which states each step was seen in, from now on.
WATCH = """
window.seen = {};
const look = () => document.querySelectorAll('.p2p-node').forEach(n =>
  (window.seen[n.dataset.step] ??= new Set()).add(n.dataset.state));
new MutationObserver(look).observe(
  document.querySelector('.p2p-panel'), {subtree: true, childList: true, attributes: true});
look(); return true
"""
SEEN = "return Object.fromEntries(Object.entries(window.seen).map(([name, states]) => [name, [...states]]))"
STEPS = ["load", "join", "clean", "features", "split", "train", "evaluate", "figures"]


def test_the_flight_notebook_from_first_look_to_export(lab: str, page: Page, project: Settings) -> None:
    page.open_notebook(lab, "notebooks/flight_delays.ipynb")
    run_first_cells(page, 2)
    page.until("return document.querySelectorAll('.p2p-node').length == 8")
    assert page.run(f"return {NODES}") == dict.fromkeys(STEPS, "never")
    page.run(WATCH)
    page.run("window.jupyterapp.shell.currentWidget.content.activeCellIndex += 1; return true")
    page.run_cells("notebook:run-all-below")
    page.wait_for_cells()
    page.until(f"return Object.values({NODES}).every(state => state == 'done')")
    states_were_seen_to_change(page)
    a_step_shows_its_code_and_values(page)
    a_wrong_parameter_is_explained_and_a_right_one_runs(page)
    two_runs_are_compared(page)
    it_is_exported(page)
    assert page.hosts() <= {"127.0.0.1"}
    assert (project.pipelines / "flight_delays" / "v1" / "manifest.json").is_file()


def test_a_step_at_work_says_in_its_box_how_far_it_is(lab: str, page: Page) -> None:
    page.open_notebook(lab, "notebooks/looping.ipynb")
    run_first_cells(page, 2)
    page.until("return document.querySelectorAll('.p2p-node').length == 1")
    page.run(
        "window.told = new Set(); const box = document.querySelector('.p2p-node');"
        "new MutationObserver(() => window.told.add(`${box.textContent} | ${box.getAttribute('aria-label')}`))"
        ".observe(box, {subtree: true, childList: true, attributes: true, characterData: true}); return true"
    )
    page.run("window.jupyterapp.shell.currentWidget.content.activeCellIndex += 1; return true")
    page.run_cells("notebook:run-all-below")
    page.until("return document.querySelector('.p2p-node').dataset.state == 'done'")
    told = page.run("return [...window.told]")
    assert any(re.search(r"step loop: running · [1-9]\d %$", one) for one in told), told
    assert any(re.search(rf"{re.escape(HOSTILE)} [1-7]/8 ", one) for one in told), told
    assert "%" not in page.run("return document.querySelector('.p2p-node .p2p-took').textContent")
    assert page.run("return document.querySelectorAll('.p2p-panel img').length") == 0


def run_first_cells(page: Page, count: int) -> None:
    """Run the first code cells, one after the other."""
    page.run(
        "const list = window.jupyterapp.shell.currentWidget.content;"
        "const code = list.widgets.map((c, i) => [c, i]).filter(([c]) => c.model.type == 'code').map(([, i]) => i);"
        "list.activeCellIndex = code[arguments[0] - 1]; return true", count,
    )  # fmt: skip
    page.run("window.jupyterapp.commands.execute('notebook:run-all-above'); return true")
    page.until("return window.jupyterapp.shell.currentWidget.content.widgets.some(c => c.model.executionCount > 0)")
    page.run("window.jupyterapp.commands.execute('notebook:run-cell'); return true")
    page.until("return document.querySelector('.p2p-panel')", seconds=120)


def states_were_seen_to_change(page: Page) -> None:
    seen = page.run(SEEN)
    assert {name: seen[name][-1] for name in STEPS} == dict.fromkeys(STEPS, "done")
    assert sum("running" in states for states in seen.values()) >= 4  # short ones may end between two looks


def a_step_shows_its_code_and_values(page: Page) -> None:
    page.click(".p2p-node[data-step=clean]")
    page.until(f"{TOLD} && document.querySelector('.p2p-about h3').textContent.startsWith('clean')")
    shown = page.run("return document.querySelector('.p2p-about').innerText")
    assert 'joined["month"] == month' in shown
    assert "pandas" in shown
    assert "origins" in shown


def a_wrong_parameter_is_explained_and_a_right_one_runs(page: Page) -> None:
    page.tab("Parameters")
    page.until("return document.querySelector('[name=month]')")
    page.fill("[name=month]", "13")
    page.until("return document.querySelector('[name=month]').getAttribute('aria-invalid') == 'true'")
    assert "month must be less than or equal to 12, got 13." in page.text()
    page.click(".p2p-panel button", "Run")
    assert not page.run("return document.querySelector('.p2p-run')")
    for month in ("2", "1"):  # the second is the default: the export takes that run as it stands
        page.fill("[name=month]", month)
        page.until("return !document.querySelector('[name=month]').hasAttribute('aria-invalid')")
        page.click(".p2p-panel button", "Run")
        page.until("return !document.querySelector('.p2p-progress [data-status]')")
        page.until("return document.querySelectorAll('.p2p-run li').length > 0", seconds=90)
        page.until("return document.querySelector('.p2p-progress [data-status=FINISHED]')", seconds=120)


def two_runs_are_compared(page: Page) -> None:
    page.tab("Runs")
    page.until("return document.querySelectorAll('tr[data-run]').length >= 3")
    page.fill("[id$=-status]", "FINISHED")
    page.until("return document.querySelectorAll('tr[data-run]').length == 2")
    for box in (1, 2):
        page.click(f"tr[data-run]:nth-child({box}) input")
    page.click(".p2p-panel button", "Compare two")
    page.until("return document.body.innerText.includes('equal value')")
    rows = page.run(
        "return [...document.querySelectorAll('[aria-label=Differences] tbody tr')].map(r => "
        "[...r.cells].map(c => c.textContent))"
    )
    assert ["parameter", "month", "2", "1"] in rows
    assert any(row[:2] == ["value", "evaluate.scores"] for row in rows)
    page.fill("[id$=-metric]", "auc")
    page.until("return document.querySelectorAll('.p2p-dot').length == 2")


def it_is_exported(page: Page) -> None:
    page.tab("Ship")
    page.until("return document.body.innerText.includes('Not exported yet')")
    page.click(".p2p-panel button", "Export")
    page.until("return document.body.innerText.includes('flight_delays v1 is written')", seconds=170)
    page.until("return document.querySelector('[aria-label=Versions]')")


def test_a_finding_of_a_refused_export_leads_to_its_cell(lab: str, page: Page) -> None:
    page.open_notebook(lab, "notebooks/set_order.ipynb")
    page.run_cells()
    page.wait_for_cells()
    page.tab("Ship")
    page.click(".p2p-panel button", "Export")
    page.until("return document.querySelector('.p2p-findings li')", seconds=120)
    assert "words" in page.run("return document.querySelector('.p2p-findings').innerText")
    cell = page.run("return document.querySelector('.p2p-findings [data-cell]').dataset.cell")
    assert cell == "3"
    page.click(".p2p-findings [data-cell]")
    page.until("return document.querySelectorAll('.jp-CodeCell')[2].classList.contains('p2p-shown')")
    assert page.run("return window.jupyterapp.shell.currentWidget.content.activeCellIndex") == 2
    assert page.hosts() <= {"127.0.0.1"}


def test_runs_that_take_long_to_read_are_told_newest_first_and_then_all(lab: str, page: Page) -> None:
    page.open_notebook(lab, "notebooks/long_past.ipynb")
    page.run_cells()
    page.wait_for_cells()
    page.until(f"return {NODES}.one == 'done'")
    page.run(
        "window.counts = []; const count = document.querySelector('.p2p-count');"
        "new MutationObserver(() => window.counts.push(count.textContent)).observe(count, {childList: true});"
        "return true"
    )
    page.tab("Runs")
    page.until("return document.querySelectorAll('tr[data-run]').length == 1")
    page.until("return document.querySelector('.p2p-count').textContent == '1 run'")
    assert "the newest 0; reading the older runs" in page.run("return window.counts")
    assert page.run("return document.querySelector('tr[data-run] [data-status]').textContent") == "RUNNING"


def test_names_values_and_errors_make_no_active_node(lab: str, page: Page) -> None:
    page.open_notebook(lab, "notebooks/hostile.ipynb")
    page.run_cells()
    page.until("return Object.values(" + NODES + ").includes('failed')", seconds=120)
    for step in ("bad", "worse"):
        page.click(f".p2p-node[data-step={step}]")
        page.until(f"{TOLD} && document.querySelector('.p2p-about h3').textContent.startsWith(arguments[0])", step)
        assert HOSTILE in page.run("return document.querySelector('.p2p-about').textContent")
    for name in ("Parameters", "Runs", "Ship"):
        page.tab(name)
        page.until(
            "return document.querySelector(`.p2p-panel [role=tab][aria-selected=true]`).textContent == arguments[0]",
            name,
        )
    page.until("return document.querySelector('[name=note]')")
    assert page.run("return document.querySelector('[name=note]').value") == HOSTILE
    for active in (".p2p-panel img, .p2p-panel script, .p2p-panel a", ".jp-OutputArea img[src=x], [onerror]"):
        assert page.run("return document.querySelectorAll(arguments[0]).length", active) == 0


@pytest.mark.soak  # MLflow's server takes half a minute here; the quick tests of `tests/mlui` start it once
def test_a_run_is_opened_in_mlflow(lab: str, page: Page) -> None:
    page.open_notebook(lab, "notebooks/set_order.ipynb")
    page.run_cells()
    page.wait_for_cells()
    page.tab("Runs")
    page.until(
        "if (/^[0-9a-f]{32}$/.test(document.querySelector('tr[data-run] code')?.title)) return true;"
        "[...document.querySelectorAll('.p2p-panel button')].find(b => b.textContent == 'Refresh').click();"
    )  # MLflow knows it by now
    page.click(".p2p-mlflow button", "Open in MLflow")
    page.until("return document.querySelector('.p2p-mlflow').textContent.includes('is starting')")
    count = "return window.jupyterapp.shell.currentWidget.content.widgets[2].model.executionCount"
    before = page.run(count)
    page.run("window.jupyterapp.shell.currentWidget.content.activeCellIndex = 2; return true")
    page.run_cells("notebook:run-cell")  # which it does not keep from running
    page.until(f"{count} > arguments[0]", before)
    assert not page.run("return document.querySelector('.p2p-panel a')")
    link = page.until("return document.querySelector('.p2p-mlflow a')?.href", seconds=120)
    run_id = link.rpartition("/")[2]
    assert page.run("const a = document.querySelector('.p2p-mlflow a'); return [a.target, a.rel]") == [
        "_blank", "noopener noreferrer",
    ]  # fmt: skip
    page.driver.get(link)
    page.until("return document.body.innerText.includes(arguments[0])", run_id)
    page.hosts()  # what MLflow's own pages ask for is not ours


def test_the_tabs_go_by_keyboard(lab: str, page: Page) -> None:
    page.open_notebook(lab, "notebooks/set_order.ipynb")
    page.run_cells()
    page.wait_for_cells()
    selected = ".p2p-panel [role=tab][aria-selected=true]"
    for key, tab in {"ArrowRight": "Parameters", "End": "Ship", "ArrowLeft": "Runs", "Home": "Steps"}.items():
        assert press(page, selected, key) == tab
        assert page.run(CHOSEN) == tab
    press(page, selected, "ArrowLeft")
    assert page.run(CHOSEN) == "Ship"
    press(page, selected, "ArrowRight")
    press(page, ".p2p-node", "Enter")
    page.until("return document.querySelector('.p2p-about h3')?.textContent.startsWith('pick')")


def test_a_click_is_answered_while_a_cell_runs(lab: str, page: Page) -> None:
    """The kernel takes no question before its cells have run; what the page knows by then is shown at once."""
    page.open_notebook(lab, "notebooks/set_order.ipynb")
    page.run_cells()
    page.wait_for_cells()
    page.run(
        "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
        ".requestExecute({code: 'import time; time.sleep(4)'}); return true"
    )
    page.click(".p2p-node")
    page.until("return document.querySelector('.p2p-about h3')?.textContent.startsWith('pick ✓ done cell 3')")
    assert page.run("return document.querySelector('.p2p-waits') && !document.querySelector('.p2p-about .p2p-code')")
    page.until("return document.querySelector('.p2p-about .p2p-code')?.textContent.includes('ibis')")
    assert not page.run("return document.querySelector('.p2p-waits')")


def press(page: Page, selector: str, key: str) -> str:
    """Press a key in an element in one go, as the notebook may take the focus between; gives the text there."""
    return str(page.run(
        "document.querySelector(arguments[0]).focus();"
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: arguments[1], bubbles: true}));"
        "return document.activeElement.textContent", selector, key,
    ))  # fmt: skip
