"""What `p2p ui` serves beside MLflow's own UI."""

from __future__ import annotations

import re
import socket
import urllib.request

import pytest

from p2p.cli.ui import _status_page
from p2p.mlui import free_port
from p2p.scheduling.ledger import Ledger
from p2p.scheduling.model import Schedule
from p2p.scheduling.owners import utc_now
from p2p.settings import Settings


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
