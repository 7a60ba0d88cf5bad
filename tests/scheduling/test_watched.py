"""Schedules as people see them from outside: a scheduler that tells of a failure, and commands that show no secret."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from p2p.scheduling.ledger import Ledger
from p2p.scheduling.model import News, Schedule
from p2p.scheduling.owners import utc_now
from p2p.scheduling.watched import compose
from p2p.settings import Settings
from tests.building import write_notebook
from tests.cli.conftest import Answer
from tests.cli.conftest import p2p as p2p
from tests.scheduling.inboxes import Hook, hook

P2P = Callable[..., Answer]


@contextlib.contextmanager
def scheduler(settings: Settings, *arguments: str, **environment: str) -> Iterator[Iterator[dict[str, Any]]]:
    """`p2p schedule start`, and the lines that it tells."""
    command = [sys.executable, "-m", "p2p", "schedule", "start", *arguments]
    with subprocess.Popen(
        command, cwd=settings.root, env={**os.environ, **environment}, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        try:
            yield map(json.loads, process.stderr)
        finally:
            process.send_signal(signal.SIGTERM)
            process.stderr.read()
            assert process.wait(60) == 0


def in_vain(settings: Settings, *alerts: str) -> None:
    """A schedule whose ticks fail, as its notebook is gone."""
    schedule = Schedule(
        name="nightly", target="notebooks/gone.ipynb", when="every 1 s", alerts=alerts, zone="Asia/Tokyo"
    )
    Ledger(settings.schedules).add(schedule, utc_now())


def said(there: Hook, seconds: float = 60) -> dict[str, Any]:
    """The first thing that a hook is told."""
    limit = time.monotonic() + seconds
    while not there.bodies and time.monotonic() < limit:
        time.sleep(0.05)
    told: dict[str, Any] = json.loads(there.bodies[0])
    return told


def test_a_scheduler_tells_of_a_failure_and_shows_how_things_stand(settings: Settings) -> None:
    with hook() as there:
        url = f"json://me:geheim123@localhost:{there.port}"
        in_vain(settings, "env:ALERT_URL")
        with scheduler(
            settings, "--port", "0", ALERT_URL=url, MY_TOKEN="notebooks"
        ) as lines:  # a secret that a log would hold
            events = [next(lines), next(lines)]
            told = said(there)
            address = events[1]["address"]
            with urllib.request.urlopen(f"{address}/health") as answer:
                assert json.load(answer)["ok"]
            with urllib.request.urlopen(address) as answer:
                page = answer.read().decode()
            events.append(next(lines))
    assert [event["event"] for event in events] == ["scheduler started", "status page", "tick begun"]
    assert events[2]["target"] == "**********/gone.ipynb"
    assert told["title"].startswith("project: nightly failed, ")
    assert "(Asia/Tokyo)" in told["message"]
    assert f"see: {address}/#schedule-nightly" in told["message"]
    assert "nightly" in page
    assert "geheim123" not in page


def test_the_link_is_to_the_run_on_the_tracking_server(tmp_path: Path) -> None:
    settings = Settings(tmp_path, "http://me:geheim@there:5000")
    directory = settings.runs / "20261128T060000.000000-00000000"
    directory.mkdir(parents=True)
    told = {"at": 1, "kind": "mlflow_run", "run_id": "3f2c", "experiment": "7"}
    (directory / "journal.jsonl").write_text(json.dumps(told) + "\n")
    news = News(kind="failed", schedule="nightly", time=utc_now(), text="boom", run_id="3f2c", run=directory.name)
    assert "see: http://there:5000/#/experiments/7/runs/3f2c" in compose(settings, news, "http://page").text
    assert "geheim" not in compose(settings, news).text


def test_a_secret_of_the_environment_is_in_no_alert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PASSWORD", "correct-horse")
    news = News(kind="failed", schedule="nightly", time=utc_now(), text="cannot connect with correct-horse")
    assert "cannot connect with **********" in compose(Settings(tmp_path, "sqlite:///x.db"), news).text


def test_no_command_shows_what_is_secret_in_an_address(settings: Settings, p2p: P2P) -> None:
    write_notebook(settings.root / "notebooks" / "a.ipynb", "x = 1")
    add = ["schedule", "add", "every 1 h", "notebooks/a.ipynb", "--alert", "json://me:geheim@localhost/geheim"]
    answers = [
        p2p(*add, "--json"), p2p("schedule", "list", "--json"), p2p("schedule", "list"), p2p("schedule", "show", "a"),
        p2p("schedule", "show", "a", "--json"),
    ]  # fmt: skip
    assert [answer.code for answer in answers] == [0] * 5
    assert answers[0].document["alerts"] == ["json://localhost/…"]
    assert "geheim" not in "".join(answer.out + answer.err for answer in answers)


def test_an_address_that_apprise_does_not_know_is_refused(settings: Settings, p2p: P2P) -> None:
    write_notebook(settings.root / "notebooks" / "a.ipynb", "x = 1")
    answer = p2p("schedule", "add", "every 1 h", "notebooks/a.ipynb", "--alert", "jsom://me:geheim@localhost")
    assert (answer.code, "jsom://…" in answer.err, "geheim" in answer.err) == (2, True, False)
    assert p2p("schedule", "list", "--json").document == []


def test_a_test_alert_says_who_took_it(settings: Settings, p2p: P2P) -> None:
    with hook() as there, hook() as broken:
        broken.status = 404
        in_vain(settings, f"json://localhost:{there.port}", f"json://localhost:{broken.port}/geheim")
        answer = p2p("schedule", "test-alert", "nightly")
    assert "this is how alerts of this schedule arrive" in said(there)["message"]
    assert (answer.code, len(answer.out.splitlines())) == (1, 2)
    assert "404" in answer.out
    assert "geheim" not in answer.out


def test_nobody_to_tell_is_refused(settings: Settings, p2p: P2P) -> None:
    in_vain(settings)
    assert p2p("schedule", "test-alert", "nightly").code == 2
    assert p2p("schedule", "test-alert", "nightli").code == 2


def test_the_unit_has_the_options_that_it_was_asked_with(settings: Settings, p2p: P2P) -> None:
    answer = p2p("schedule", "start", "--print-systemd-unit", "--at-once", "2", "--patience", "2m", "--port", "9000")
    assert answer.code == 0
    assert '"start" "--at-once" "2" "--patience" "2m" "--port" "9000"' in answer.out
    assert f"WorkingDirectory={settings.root}" in answer.out
    assert not settings.schedules.exists()
