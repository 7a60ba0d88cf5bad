"""JupyterLab and a browser: real ones, on the loopback address, each ended with its block."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
_ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--window-size=1400,1000",
)  # fmt: skip


@contextmanager
def browser() -> Iterator[webdriver.Chrome]:
    """Chromium with a fresh profile, which notes each request that it makes."""
    options = Options()
    options.binary_location = str(CHROMIUM)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        for argument in (*_ARGUMENTS, f"--user-data-dir={profile}"):
            options.add_argument(argument)
        driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
        try:
            yield driver
        finally:
            driver.quit()


@contextmanager
def jupyterlab(root: Path, **environment: str) -> Iterator[str]:
    """JupyterLab on a folder, with settings of its own; gives its address."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        chosen = Path(folder) / "@jupyterlab" / "apputils-extension"
        chosen.mkdir(parents=True)
        (chosen / "notification.jupyterlab-settings").write_text(json.dumps({"fetchNews": "false"}))
        command = [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root",
            "--IdentityProvider.token=", "--ServerApp.password=", f"--ServerApp.root_dir={root}",
            "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ]  # fmt: skip
        own = {"JUPYTER_CONFIG_DIR": folder, "JUPYTERLAB_SETTINGS_DIR": folder, "JUPYTERLAB_WORKSPACES_DIR": folder}
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(
                command, cwd=root, env={**os.environ, **own, **environment}, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
            try:
                _wait_for(f"{url}/api", process)
                yield url
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(20)
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen[bytes], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError):
            urllib.request.urlopen(url, timeout=5).close()
            return
        time.sleep(0.2)
    raise RuntimeError(f"{url} does not answer")


class Page:
    """A page in the browser.

    Args:
        driver: the browser.
    """

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script in the page gives."""
        return self.driver.execute_script(script, *arguments)

    def until(self, script: str, *arguments: Any, seconds: float = 60) -> Any:
        """What a script gives as soon as that is true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with suppress(WebDriverException):
                if found := self.run(script, *arguments):
                    return found
            time.sleep(0.1)
        raise AssertionError(f"never true in the page: {script} {arguments}; it says: {self.text()[-1500:]}")

    def text(self) -> str:
        return str(self.run("return (document.querySelector('.p2p-panel') || document.body).innerText"))

    def open_notebook(self, url: str, path: str) -> None:
        """Open a notebook in JupyterLab, and wait for its kernel, which has run nothing."""
        with urllib.request.urlopen(f"{url}/api/sessions", timeout=20) as answer:
            used = path in [session["path"] for session in json.load(answer)]
        self.driver.get(f"{url}/lab/tree/{path}?reset")
        self.until("return window.jupyterapp && document.querySelectorAll('.jp-CodeCell').length > 0", seconds=120)
        self.until(
            "const w = window.jupyterapp.shell.currentWidget;"
            "return w && w.sessionContext && w.sessionContext.session?.kernel?.status == 'idle'", seconds=120,
        )  # fmt: skip
        if used:  # by an earlier test
            self.run(
                "window.restarted = false; const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session"
                ".kernel; kernel.restart().then(() => { window.restarted = true }); return true"
            )
            self.until(
                "return window.restarted && "
                "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status == 'idle'"
            )

    def run_cells(self, command: str = "notebook:run-all-cells") -> None:
        self.run("window.jupyterapp.commands.execute(arguments[0]); return true", command)

    def wait_for_cells(self, seconds: float = 150) -> None:
        """Wait until the last code cell has run."""
        self.until(
            "const cells = window.jupyterapp.shell.currentWidget.content.widgets.filter(c => c.model.type == 'code');"
            "return cells[cells.length - 1].model.executionCount > 0 "
            "&& window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status == 'idle'",
            seconds=seconds,
        )  # fmt: skip

    def click(self, selector: str, text: str = "") -> None:
        """Click the first element that is shown, goes by this selector and has this text."""
        self.until(
            "const found = [...document.querySelectorAll(arguments[0])].find(e => e.getClientRects().length "
            "&& !e.disabled && (!arguments[1] || e.textContent.trim() == arguments[1]));"
            "if (!found) return false; found.dispatchEvent(new MouseEvent('click', {bubbles: true})); return true",
            selector, text,
        )  # fmt: skip

    def theme(self, name: str) -> None:
        """Have JupyterLab in this theme."""
        self.run(
            "window.jupyterapp.commands.execute('apputils:change-theme', {theme: arguments[0]}); return true", name
        )
        light = str("Light" in name).lower()
        self.until("return document.body.dataset.jpThemeLight == arguments[0]", light)

    def tab(self, name: str) -> None:
        self.click(".p2p-panel [role=tab]", name)

    def fill(self, selector: str, value: str) -> None:
        """Put a value into a field as somebody would who types it and leaves the field."""
        self.until(
            "const field = document.querySelector(arguments[0]);"
            "if (!field) return false; field.value = arguments[1];"
            "for (const kind of ['input', 'change']) field.dispatchEvent(new Event(kind, {bubbles: true}));"
            "return true",
            selector, value,
        )  # fmt: skip

    def hosts(self) -> set[str]:
        """The hosts that have been asked for anything since the last call."""
        messages = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        urls = [_asked(message) for message in messages]
        return {urlsplit(url).hostname or "" for url in urls if urlsplit(url).scheme in ("http", "https", "ws", "wss")}


def _asked(message: Mapping[str, Any]) -> str:
    parameters = message.get("params", {})
    if message["method"] == "Network.requestWillBeSent":
        return str(parameters["request"]["url"])
    return str(parameters.get("url", "")) if message["method"] == "Network.webSocketCreated" else ""
