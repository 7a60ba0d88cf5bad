"""A process's own server: started once, waited for, and ended with the process, however that ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import psutil
import pytest

from p2p.errors import InputRefused, P2PError, TargetError
from p2p.mlui import address_of, experiment_place, run_place, serve
from p2p.mlui.places import answers
from p2p.settings import Settings
from p2p.tracking.journal import Journal

OWNER = """
import sys, time
from p2p.mlui import address_of
from p2p.settings import load_settings
print(address_of(load_settings()), flush=True)
time.sleep(60)
"""
StandIn = Callable[[str], None]


def gone(address: str, seconds: float = 15) -> bool:
    """Whether nobody answers there any more, within some time."""
    end = time.monotonic() + seconds
    while answers(address) and time.monotonic() < end:
        time.sleep(0.05)
    return not answers(address)


def test_one_server_is_started_for_all_that_ask_and_a_new_one_when_it_has_ended(
    settings: Settings, stand_in: StandIn
) -> None:
    found: list[str] = []
    askers = [threading.Thread(target=lambda: found.append(address_of(settings))) for _ in range(3)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert len(found) == 3
    assert len(set(found)) == 1
    assert address_of(settings, 1) == found[0]  # another port changes nothing once it is there
    for one in psutil.Process().children(recursive=True):
        if "server" in one.cmdline():
            one.kill()
    assert gone(found[0])
    while serve(settings).address == found[0]:  # until its end is told
        time.sleep(0.05)
    assert answers(address_of(settings))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_its_owner(settings: Settings, stand_in: StandIn, how: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        address = owner.stdout.readline().strip()
        assert answers(address)
        os.kill(owner.pid, how)
        owner.wait()
    assert gone(address)


@pytest.mark.parametrize(
    ("mood", "told"), [("fails", "one\nNo module named 'flask'"), ("silent", "has not started: without a word")]
)
def test_a_server_that_does_not_start_tells_its_last_lines(
    settings: Settings, stand_in: StandIn, mood: str, told: str
) -> None:
    stand_in(mood)
    with pytest.raises(P2PError) as raised:
        address_of(settings)
    assert told in str(raised.value)
    assert "`p2p ui` in a terminal" in str(raised.value)
    stand_in("well")
    assert answers(address_of(settings))  # the next one is another one


def test_a_port_that_somebody_has_is_refused_at_once(settings: Settings, stand_in: StandIn) -> None:
    taken = int(address_of(settings).rpartition(":")[2])
    other = Settings(settings.root, f"{settings.tracking_uri}?other")
    with pytest.raises(InputRefused, match="Address already in use"):
        address_of(other, taken)


def test_a_tracking_server_is_linked_to_where_it_answers(
    settings: Settings, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = address_of(settings)
    monkeypatch.setattr("p2p.mlui.owned.serve", lambda *_: pytest.fail("another server is started"))
    assert address_of(Settings(settings.root, address)) == address
    with pytest.raises(P2PError, match=r"The tracking server at http://127\.0\.0\.1:9 does not answer"):
        address_of(Settings(settings.root, "http://me:secret@127.0.0.1:9"))


def test_places_are_those_that_the_server_knows(settings: Settings, stand_in: StandIn) -> None:
    address = address_of(settings)
    assert experiment_place(address, "flights") == f"{address}/#/experiments/7"
    assert experiment_place(address, "none & such") is None
    for run_id in ("known", "hidden", "deleted"):
        journal = Journal(settings.runs / run_id)
        journal.append("mlflow_run", run_id=run_id, experiment="a/b")
        journal.close()
    assert run_place(address, settings, "known") == f"{address}/#/experiments/8/runs/known"
    assert run_place(address, settings, "hidden") == f"{address}/#/experiments/a%2Fb/runs/hidden"
    with pytest.raises(TargetError, match="has no run deleted any more"):
        run_place(address, settings, "deleted")
    with pytest.raises(TargetError, match="does not know this run yet"):
        run_place(address, settings, "no-such-key")


def test_a_proxy_does_not_stand_before_it(
    settings: Settings, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert answers(address_of(settings))


def test_no_command_line_has_the_uri_of_the_store(settings: Settings, stand_in: StandIn) -> None:
    """A password in the store's URI goes by the pipe: no command line of any process has it."""
    address_of(Settings(settings.root, "postgresql://me:hush@there/runs"))
    shown = [json.dumps(one.cmdline()) for one in psutil.Process().children(recursive=True)]
    assert any("p2p.mlui.child" in one for one in shown)
    assert not any("hush" in one for one in shown)
