"""Takes the pictures of the documentation anew: `make pictures`, after `make demo`.

Real JupyterLab, the real MLflow UI, a real browser. Servers listen on the loopback address and end with the script.
"""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console
from rich.syntax import Syntax
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
NOTEBOOK = "notebooks/flight_delays.ipynb"
NAME = "flight_delays"


def main() -> None:
    wanted = sys.argv[1:] or ["jupyterlab", "mlflow", "terminal", "module"]
    with browser() as driver:
        if "terminal" in wanted:
            terminal(driver)
        if "module" in wanted:
            module(driver)
        if "jupyterlab" in wanted:
            jupyterlab(driver)
        if "mlflow" in wanted:
            mlflow_ui(driver)


@contextmanager
def browser() -> Iterator[webdriver.Chrome]:
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    with tempfile.TemporaryDirectory() as profile:
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
                         "--disable-component-update", "--disable-sync", "--no-first-run", "--window-size=1400,1000",
                         f"--user-data-dir={profile}"):  # fmt: skip
            options.add_argument(argument)
        driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        try:
            yield driver
        finally:
            driver.quit()


@contextmanager
def server(command: list[str], url: str, **environment: str) -> Iterator[None]:
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, stdout=log, stderr=log, start_new_session=True
        )
        try:
            wait_for(url, process)
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 15)
            process.wait(20)


def wait_for(url: str, process: subprocess.Popen[bytes], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError):
            urllib.request.urlopen(url, timeout=5)  # a server of our own
            return
        time.sleep(0.5)
    raise RuntimeError(f"{url} does not answer")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(driver: webdriver.Chrome, script: str, seconds: float = 240) -> object:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(Exception):
            if result := driver.execute_script(script):
                return result
        time.sleep(0.5)
    raise RuntimeError(f"never true in the page: {script}")


def jupyterlab(driver: webdriver.Chrome) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root",
            "--IdentityProvider.token=", "--ServerApp.password=", f"--ServerApp.root_dir={ROOT}",
            "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None", "--LabApp.check_for_updates_class="
            "jupyterlab.NeverCheckForUpdate",
        ]  # fmt: skip
        with server(command, f"{url}/api", P2P_ROOT=folder, JUPYTER_CONFIG_DIR=folder, JUPYTERLAB_SETTINGS_DIR=folder,
                    JUPYTERLAB_WORKSPACES_DIR=folder):  # fmt: skip
            driver.get(f"{url}/lab/tree/{NOTEBOOK}?reset")
            until(driver, "return window.jupyterapp && document.querySelectorAll('.jp-CodeCell').length > 5")
            until(driver, "return /Idle/.test(document.querySelector('.jp-Notebook-ExecutionIndicator')"
                  ".getAttribute('data-status') || '') || document.querySelector('.jp-Notebook-ExecutionIndicator')"
                  ".dataset.status == 'idle'")  # fmt: skip
            driver.execute_script(
                "window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs');"
                "window.jupyterapp.commands.execute('filebrowser:hide-main');"
            )
            time.sleep(2)
            driver.execute_script("window.jupyterapp.commands.execute('notebook:run-all-cells')")
            until(driver, last_cell_has_run())
            driver.execute_script(
                "[...document.querySelectorAll('button')].filter(b => b.innerText == 'No').forEach(b => b.click())"
            )
            driver.execute_script(
                "const panel = window.jupyterapp.shell.currentWidget;"
                "const list = panel.content; const i = list.widgets.findIndex("
                "c => c.model.sharedModel.getSource().startsWith('%%step clean'));"
                "list.activeCellIndex = i; list.scrollToItem(i, 'start')"
            )
            time.sleep(3)
            driver.save_screenshot(str(HERE / "jupyterlab.png"))


def last_cell_has_run() -> str:
    return (
        "const cells = window.jupyterapp.shell.currentWidget.content.widgets.filter(c => c.model.type == 'code');"
        "return cells[cells.length - 1].model.executionCount > 0"
    )


def mlflow_ui(driver: webdriver.Chrome) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with server([sys.executable, "-m", "p2p", "ui", "--port", str(port)], f"{url}/health"):
        experiment, run = newest_run(url)
        driver.get(f"{url}/#/experiments/{experiment}/runs/{run}")
        until(driver, "return document.body.innerText.includes('auc')")
        close_assistant(driver)
        time.sleep(4)
        driver.save_screenshot(str(HERE / "mlflow-run.png"))
        driver.get(f"{url}/#/experiments/{experiment}/runs/{run}/traces")
        trace = until(driver, "return (document.body.innerHTML.match(/tr-[0-9a-f]{32}/) || [''])[0]")
        driver.get(f"{url}/#/experiments/{experiment}/traces?selectedEvaluationId={trace}")
        driver.refresh()
        until(driver, "return document.body.innerText.includes('evaluate')")
        time.sleep(6)
        driver.save_screenshot(str(HERE / "mlflow-trace.png"))


def close_assistant(driver: webdriver.Chrome) -> None:
    """The panel that MLflow opens at the first visit."""
    driver.execute_script(
        "const title = [...document.querySelectorAll('*')].find(e => e.children.length == 0 && "
        "e.innerText == 'MLflow Assistant'); let box = title; "
        "while (box && box.querySelectorAll('button').length < 3) box = box.parentElement; "
        "if (box) [...box.querySelectorAll('button')].slice(0, 3).pop().click()"
    )


def terminal(driver: webdriver.Chrome) -> None:
    """What `p2p run` and `p2p export` print, from a project of its own."""
    console = Console(record=True, width=104, file=io.StringIO(), force_terminal=True)
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "P2P_ROOT": folder, "FORCE_COLOR": "1", "COLUMNS": "104"}
        for command in (f"p2p run {NOTEBOOK}", f"p2p export {NOTEBOOK}"):
            done = subprocess.run(
                [sys.executable, "-m", *command.split()], cwd=ROOT, env=environment, check=True, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            console.print(f"[bold]$ {command}[/]")
            console.print(Text.from_ansi(done.stdout.replace(folder, ".")))
    picture(driver, console, "terminal")


def module(driver: webdriver.Chrome) -> None:
    """The beginning of the exported steps."""
    console = Console(record=True, width=124, file=io.StringIO(), force_terminal=True)
    lines = (ROOT / "pipelines" / NAME / "v1" / "steps.py").read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("def clean"))
    console.print(Syntax("\n".join(lines[start : start + 42]), "python", theme="ansi_light", line_numbers=False))
    picture(driver, console, "module")


def picture(driver: webdriver.Chrome, console: Console, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        svg = console.export_svg(title=name, theme=SVG_EXPORT_THEME)
        page.write_text(f"<body style='margin:0'>{svg}</body>", encoding="utf-8")
        driver.get(page.as_uri())
        drawing = driver.find_element("tag name", "svg")
        driver.set_window_size(drawing.size["width"] + 40, drawing.size["height"] + 200)
        if not drawing.screenshot(str(HERE / f"{name}.png")):
            raise RuntimeError(f"the picture {name}.png could not be written")


def newest_run(url: str) -> tuple[str, str]:
    found = api(url, "experiments/get-by-name?experiment_name=" + NAME)["experiment"]["experiment_id"]
    body = {"experiment_ids": [found], "filter": "attributes.status = 'FINISHED' and tags.\"p2p.kind\" = 'notebook'"}
    runs = api(url, "runs/search", body)["runs"]
    return found, runs[0]["info"]["run_id"]


def api(url: str, path: str, body: object = None) -> dict[str, object]:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(  # a server of our own
        f"{url}/api/2.0/mlflow/{path}", data, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # a server of our own
        return json.load(answer)


if __name__ == "__main__":
    main()
