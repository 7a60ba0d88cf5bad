"""The status page in a browser: it runs nothing, loads nothing, and can be read by everybody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from axe_core_python.selenium import Axe

from p2p.model import RunStatus
from p2p.scheduling import watched
from p2p.scheduling.outbox import Outbox
from p2p.scheduling.owners import utc_now
from p2p.settings import Settings
from tests.browser.lab import CHROMIUM, DRIVER, browser
from tests.scheduling.world import World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no Chromium here: `make browser` installs it"),
]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A page with a schedule that fails, another that is good, and an alert that could not be sent."""
    settings = Settings(tmp_path, f"sqlite:///{tmp_path}/mlflow.db")
    world = World(settings.schedules.parent)
    world.now = utc_now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    world.add("0 * * * *", alerts=("json://localhost:9",), target="<img src=x onerror=document.title='led'>.ipynb")
    world.add("0 * * * *", name="good")
    scheduler = world.scheduler()
    world.later(hours=1)
    scheduler.turn()
    for attempt in world.at_work():
        good = attempt.tick.schedule == "good"
        world.end(attempt, RunStatus.FINISHED if good else RunStatus.FAILED, "" if good else "<script>" * 40)
    scheduler.turn()
    outbox = Outbox(world.ledger.path)
    outbox.not_told(outbox.unsent()[0], "nobody is there", world.now + timedelta(hours=2))
    outbox.close()
    with watched.page(settings, watched.vitals_from_outside, 0, watched.links_to(settings)) as served:
        yield served
    world.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 400])
def test_it_runs_and_loads_nothing_and_everybody_can_read_it(address: str, scheme: str, width: int) -> None:
    with browser() as driver:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        driver.set_window_size(width, 1000)
        driver.get(f"{address}/?still")
        assert driver.title.startswith("No scheduler is up")
        events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
        asked = {
            event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"
        }
        assert {url for url in asked if url.startswith("http")} <= {f"{address}/?still", f"{address}/favicon.ico"}
        blocked = [entry for entry in driver.get_log("browser") if "favicon" not in entry["message"]]
        assert blocked == []
        wide = driver.execute_script("return document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0
        found = Axe().run(driver)["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
