"""What is refused when a schedule is added, before anything is written; in words that say what and how to cure it."""

from __future__ import annotations

from typing import Any

import pytest

from p2p.cli.scheduling import Asked, add_shown
from p2p.errors import P2PError
from p2p.scheduling.ledger import Ledger
from p2p.settings import Settings
from tests.building import write_notebook

AS_USUAL: dict[str, Any] = {
    "when": "0 6 * * *", "target": "notebooks/held.ipynb", "name": "nightly", "params": (), "zone": "UTC",
    "missed": "latest", "most": 10, "window": "365d", "grace": "60s", "overlap": "skip", "at_once": 1, "retries": 0,
    "retry_delay": "60s", "timeout": "", "late": "", "alerts": (),
}  # fmt: skip


@pytest.fixture
def project(settings: Settings) -> Settings:
    parameters = (
        "import datetime\nfrom pydantic import SecretStr\nday: datetime.date = datetime.date(2026, 1, 1)\nn: int = 3"
    )
    write_notebook(
        settings.root / "notebooks" / "held.ipynb", "%%step only\nx = n", params=f"{parameters}\nkey: SecretStr = 'no'"
    )
    return settings


def add(**facts: Any) -> None:
    add_shown(Asked(**{**AS_USUAL, **facts}), replace=False, as_json=True)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"when": "0 0 30 2 *"}, "no such month has that day"),
        ({"target": "notebooks/hed.ipynb"}, "held.ipynb"),
        ({"target": "nobody@3"}, "nobody"),
        ({"target": "/etc/held.ipynb"}, "not in the project"),
        ({"params": ["n={day_of_year}"]}, "no field of a tick"),
        ({"params": ["n={mont}"]}, "Closest: {month}"),
        ({"params": ["n=many"]}, "n must be a valid integer"),
        ({"params": ["n={logical_date}"]}, "n must be a valid integer"),
        ({"params": ["m=1"]}, "Unknown parameter 'm'"),
        ({"params": ["key=hunter2"]}, "is a secret"),
        ({"params": ["day={previous_date}"], "when": "at 2036-01-01 06:00"}, "no tick comes before"),
        ({"name": "; rm -rf /"}, "no name for a schedule"),
        ({"name": "a\nb"}, "no name for a schedule"),
        ({"name": "../up"}, "no name for a schedule"),
        ({"zone": "Europe/Berln"}, "Europe/Berlin"),
        ({"missed": "al"}, "Closest: all"),
        ({"overlap": "quue"}, "Closest: queue"),
        ({"retries": -1}, "retries cannot be less than 0"),
        ({"at_once": 0, "most": 0}, "at least one tick must be allowed at once; at least one missed tick"),
        ({"timeout": "soon"}, "--timeout"),
        ({"timeout": "0s"}, "the timeout must be more than 0"),
        ({"window": "1s"}, "the window cannot be shorter than the grace"),
    ],
)
def test_it_is_refused_and_nothing_is_added(project: Settings, facts: dict[str, Any], why: str) -> None:
    with pytest.raises(P2PError) as refused:
        add(**facts)
    assert why in str(refused.value)
    assert refused.value.exit_code == 2
    assert not project.schedules.exists() or Ledger(project.schedules).entries() == []


def test_a_name_is_taken_once(project: Settings) -> None:
    add()
    with pytest.raises(P2PError, match="There is a schedule 'nightly'"):
        add(when="0 7 * * *")
    ledger = Ledger(project.schedules)
    assert ledger.entry("nightly").schedule.when == "0 6 * * *"
    with pytest.raises(P2PError, match="Closest name: 'nightly'"):
        ledger.entry("nightl")
    ledger.close()
