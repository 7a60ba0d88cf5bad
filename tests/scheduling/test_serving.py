"""The status page, as whoever asks gets it."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from p2p.errors import InputRefused
from p2p.model import RunStatus
from p2p.scheduling import watched
from p2p.scheduling.metrics import GAUGES
from p2p.scheduling.outbox import Outbox
from p2p.scheduling.owners import owner_name, utc_now
from p2p.scheduling.serving import Vitals
from p2p.settings import Settings
from tests.scheduling.world import World

HOSTILE = "<script>alert(1)</script>\"'&\x1b[2J"
Headers = http.client.HTTPMessage
Get = Callable[..., tuple[int, Headers, str]]


class Well:
    """How whoever serves the page says it is."""

    vitals = Vitals("", datetime(2026, 11, 28, 12, tzinfo=UTC))


@pytest.fixture
def plain(tmp_path: Path) -> Settings:
    return Settings(tmp_path, f"sqlite:///{tmp_path}/mlflow.db")


@pytest.fixture
def world(plain: Settings) -> Iterator[World]:
    made = World(plain.schedules.parent)
    made.now = utc_now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=6)
    yield made
    made.close()


@pytest.fixture
def get(plain: Settings) -> Iterator[Get]:
    """Asks the page for something."""
    links = watched.links_to(plain, "http://127.0.0.1:5000")
    with watched.page(plain, lambda _status: Well.vitals, 0, links) as address:
        port = urlsplit(address).port

        def ask(path: str, *, host: str = "127.0.0.1:{}", method: str = "GET") -> tuple[int, Headers, str]:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request(method, path, headers={"Host": host.format(port)})
            answer = connection.getresponse()
            told = answer.read().decode()
            connection.close()
            return answer.status, answer.headers, told

        yield ask
    Well.vitals = Vitals("", datetime(2026, 11, 28, 12, tzinfo=UTC))


class Shown(HTMLParser):
    """What a page has: its elements, their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += f" {data}"


def failed_and_alerted(world: World) -> None:
    """A schedule that was good, fails, and could not tell anybody; every text of it is hostile."""
    world.add(
        "0 * * * *", alerts=("json://me:geheim@localhost:9/geheim",), target=f"{HOSTILE}.ipynb", zone="Europe/Berlin"
    )
    scheduler = world.scheduler()
    for status in (RunStatus.FINISHED, RunStatus.FINISHED, RunStatus.FAILED):
        world.later(hours=1, seconds=2)
        scheduler.turn()
        world.later(seconds=30)
        for attempt in world.at_work():
            world.end(attempt, status, HOSTILE if status is RunStatus.FAILED else "")
        scheduler.turn()
        world.later(seconds=-32)
    outbox = Outbox(world.ledger.path)
    (alert,) = outbox.unsent()
    outbox.not_told(alert, HOSTILE, world.now + timedelta(minutes=1))
    outbox.close()


def test_the_page_shows_how_things_stand_and_every_text_from_outside_is_only_a_text(world: World, get: Get) -> None:
    failed_and_alerted(world)
    status, headers, page = get("/")
    shown = Shown(page)
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "script" not in shown.elements
    assert not [name for name in shown.attributes if name.startswith("on") or name == "style"]
    for text in ("1 of 1 schedules failing", "nightly", "0 * * * *", "Europe/Berlin", "done, took 30 s", "json://localhost:9/…",
                 "p2p debug id-2", "<script>alert(1)</script>", "\\x1b"):  # fmt: skip
        assert text in shown.text, text
    assert "geheim" not in page
    assert "\x1b" not in page


def test_a_browser_that_was_led_here_by_another_name_gets_nothing(get: Get) -> None:
    for host in ("evil.example:{}", "127.0.0.1.evil.example:{}", "127.0.0.1:{}1", "localhost", "", "[::1]:{}"):
        status, _, told = get("/", host=host)
        assert (status, told) == (421, "This address is not served here.\n"), host
    assert get("/", host="LOCALHOST:{}")[0] == 200


def test_nothing_is_kept_run_framed_or_loaded(get: Get) -> None:
    for path in ("/", "/health", "/metrics", "/nothing"):
        _, headers, _ = get(path)
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy


def test_only_reading_is_possible(get: Get) -> None:
    assert get("/", method="POST")[0] == get("/", method="DELETE")[0] == 501
    assert get("/", method="HEAD")[2] == ""
    assert get("/../../etc/passwd")[0] == get("//[")[0] == 404


def test_the_page_refreshes_until_it_is_told_not_to(get: Get) -> None:
    assert 'http-equiv="refresh"' in get("/")[2]
    assert 'http-equiv="refresh"' not in get("/?still")[2]


def test_a_project_without_schedules_has_a_page_and_no_ledger_is_made(get: Get, plain: Settings) -> None:
    _, _, page = get("/")
    assert "No schedules yet" in page
    assert not plain.schedules.exists()


def test_health_says_what_is_wrong(get: Get) -> None:
    status, _, told = get("/health")
    assert (status, json.loads(told)) == (
        200, {"ok": True, "reason": None, "last_turn": "2026-11-28T12:00:00+00:00"},
    )  # fmt: skip
    Well.vitals = Vitals("the disk is full")
    status, _, told = get("/health")
    assert (status, json.loads(told)["reason"]) == (503, "the disk is full")
    assert "The disk is full" in Shown(get("/")[2]).text


def test_a_ledger_that_cannot_be_read_is_no_health(get: Get, plain: Settings) -> None:
    plain.schedules.parent.mkdir(parents=True, exist_ok=True)
    plain.schedules.write_bytes(b"no database at all" * 100)
    status, _, told = get("/health")
    assert status == 503
    assert "cannot be used" in json.loads(told)["reason"]
    assert get("/")[0] == get("/metrics")[0] == 503


def test_a_scheduler_is_well_while_it_takes_turns() -> None:
    now, long_ago = utc_now(), utc_now() - timedelta(minutes=5)
    assert watched.vitals_of(now, long_ago, "").problem == ""
    assert watched.vitals_of(None, now, "").problem == ""
    assert watched.vitals_of(long_ago, long_ago, "").problem == "the scheduler has taken no turn for 300 s"
    assert watched.vitals_of(now, long_ago, "no room").problem == "no room"


def test_metrics(world: World, get: Get) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    failed_and_alerted(world)
    world.ledger.beat(owner_name(), utc_now())
    status, headers, told = get("/metrics")
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    families = {family.name: family for family in text_string_to_metric_families(told)}
    assert families.keys() == GAUGES.keys()
    found = {(one.name, one.labels.get("state", "")): one.value for f in families.values() for one in f.samples}
    assert found["p2p_schedule_ticks", "done"] == 2
    assert found["p2p_schedule_ticks", "failed"] == 1
    assert found["p2p_schedule_failing", ""] == 1
    assert found["p2p_schedule_last_duration_seconds", ""] == 30
    assert found["p2p_schedule_last_start_delay_seconds", ""] == 2
    assert found["p2p_schedule_waiting_seconds", ""] == 0
    assert found["p2p_schedule_next_due_timestamp_seconds", ""] > utc_now().timestamp()
    assert (found["p2p_alerts_untold", ""], found["p2p_alerts_failing", ""], found["p2p_schedulers", ""]) == (1, 1, 1)


def test_a_port_that_is_taken_is_refused_where_it_was_asked_for(plain: Settings) -> None:
    links = watched.links_to(plain)
    with watched.page(plain, watched.vitals_from_outside, 0, links) as first:
        port = urlsplit(first).port
        assert port is not None
        with (
            pytest.raises(InputRefused, match=f"port {port}"),
            watched.page(plain, watched.vitals_from_outside, port, links),
        ):
            pass


def test_many_may_ask_at_once(world: World, get: Get) -> None:
    failed_and_alerted(world)
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(get("/")[0])) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [200] * 12
