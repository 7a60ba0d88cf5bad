"""What `p2p ui` serves, and that it ends with all of it."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from p2p.cli.ui import _status_page
from p2p.mlui import free_port
from p2p.scheduling.ledger import Ledger
from p2p.scheduling.model import Schedule
from p2p.scheduling.owners import utc_now
from p2p.settings import Settings

# MLflow's server is a process whose worker listens; so is this, in less time.
_WITH_A_WORKER = """
import sys
import p2p.cli.ui as ui
from p2p.cli.signals import sigterm_interrupts
from p2p.settings import load_settings
worker = "import subprocess, sys; subprocess.run([sys.executable, '-m', 'http.server', '-b', '127.0.0.1', sys.argv[1]])"
ui.command = lambda _settings, port: [sys.executable, "-c", worker, str(port)]
with sigterm_interrupts():
    sys.exit(ui.serve(load_settings(), int(sys.argv[1])))
"""


def test_the_page_of_schedules_is_beside_mlflow_and_leads_to_it(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    Ledger(settings.schedules).add(Schedule(name="nightly", target="a.ipynb", when="@daily"), utc_now())
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        for port in (free_port(), other.getsockname()[1]):  # a port that somebody has is no hindrance
            with _status_page(settings, "http://127.0.0.1:5000", port):
                address = re.findall(r"http://127.0.0.1:\d+", capsys.readouterr().err)[-1]
                with urllib.request.urlopen(address) as answer:
                    page = answer.read().decode()
            assert '<a href="http://127.0.0.1:5000"' in page
            assert "No scheduler is up" in page
            assert (address == f"http://127.0.0.1:{port}") is (port != other.getsockname()[1])


def test_where_a_tracking_server_is_used_it_is_named_and_the_page_is_served(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """Also while that server is down."""
    Ledger(settings.schedules).add(Schedule(name="nightly", target="a.ipynb", when="@daily"), utc_now())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@127.0.0.1:9/mlflow")
    with serving("-m", "p2p", "ui", "--port", str(free_port())) as process:
        assert process.stderr is not None
        mlflow, page = (address_in(process.stderr.readline()) for _ in range(2))
        assert mlflow == "http://127.0.0.1:9/mlflow"
        with urllib.request.urlopen(page) as answer:
            shown = answer.read().decode()
    assert f'<a href="{mlflow}"' in shown
    assert "nightly" in shown
    assert process.returncode == 0
    assert not listens(page)


def test_the_workers_of_the_server_end_with_it(settings: Settings) -> None:
    with serving("-c", _WITH_A_WORKER, str(free_port())) as process:
        assert process.stderr is not None
        address = address_in(process.stderr.readline())
        while not listens(address):
            assert process.poll() is None
            time.sleep(0.05)
    assert process.returncode == 0
    assert not listens(address)


@contextmanager
def serving(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """In the block, a Python serves; then it is told to end, and has."""
    with subprocess.Popen([sys.executable, *arguments], stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def address_in(line: str) -> str:
    (found,) = re.findall(r"http://[^\s]+", line)
    return str(found)


def listens(address: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(address.rpartition(":")[2]))) == 0
