"""What another scheduler has no word for: refused where it would be missed, and told otherwise."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from p2p.errors import InputRefused
from p2p.scheduling.exports import TARGETS
from p2p.scheduling.model import Missed, Overlap
from tests.scheduling.exports.reading import text_of, values_of_python, write
from tests.scheduling.exports.told import schedule

_SAYS = {
    "cron": {Overlap.SKIP, Overlap.QUEUE}, "systemd": {Overlap.SKIP}, "airflow": {Overlap.SKIP, Overlap.QUEUE},
    "kubernetes": {Overlap.SKIP, Overlap.REPLACE}, "github-actions": {Overlap.SKIP, Overlap.REPLACE},
    "prefect": {Overlap.SKIP, Overlap.QUEUE}, "dagster": {Overlap.SKIP},
}  # fmt: skip


@pytest.mark.parametrize("to", TARGETS)
@pytest.mark.parametrize("overlap", Overlap)
def test_overlap_is_said_or_refused(to: str, overlap: Overlap) -> None:
    if overlap in _SAYS[to]:
        write(to, schedule(overlap=overlap))
        return
    with pytest.raises(InputRefused, match=f"overlap {overlap}.*p2p schedule start"):
        write(to, schedule(overlap=overlap))


@pytest.mark.parametrize("to", TARGETS)
def test_runs_that_are_all_to_be_made_up_for_are_or_it_is_refused(to: str) -> None:
    if to in ("airflow", "prefect"):
        write(to, schedule(missed=Missed.ALL))
        return
    with pytest.raises(InputRefused, match="missed all"):
        write(to, schedule(missed=Missed.ALL))


@pytest.mark.parametrize("to", TARGETS)
def test_what_is_only_noted_is_in_the_file_too_and_no_address_is(to: str) -> None:
    done = write(to, schedule(alerts=("mailto://u:secret@x",), late=60.0, retries=3))
    assert any("alerts" in note for note in done.notes)
    for text in done.files.values():
        assert all(note in text for note in done.notes)
        assert "secret" not in text
    retried = to in ("airflow", "prefect", "dagster", "kubernetes")
    assert any("retries 3" in note for note in done.notes) is not retried


@pytest.mark.parametrize(
    ("options", "values"),
    [
        ({}, {"CATCHUP": False, "AT_ONCE": 1, "RETRIES": 0, "SINCE": "1970-01-01T00:00:00+00:00", "TIMEOUT": None}),
        ({"missed": Missed.ALL}, {"CATCHUP": True, "SINCE": "2026-11-28T12:00:00+00:00"}),
        ({"overlap": Overlap.QUEUE, "at_once": 3}, {"AT_ONCE": 3}),
        ({"retries": 2, "retry_delay": 5.0, "timeout": 9.0}, {"RETRIES": 2, "RETRY_DELAY": 5.0, "TIMEOUT": 9.0}),
    ],
)
def test_policies_in_airflow(options: dict[str, Any], values: dict[str, Any]) -> None:
    assert values.items() <= values_of_python(text_of(write("airflow", schedule(**options)))).items()


@pytest.mark.parametrize(
    ("options", "values"),
    [
        ({}, {"COLLISION": "CANCEL_NEW", "AT_ONCE": 1, "CRON": "0 6 * * *", "INTERVAL": 0}),
        ({"overlap": Overlap.QUEUE, "at_once": 3}, {"COLLISION": "ENQUEUE", "AT_ONCE": 3}),
        ({"when": "every 7 min"}, {"INTERVAL": 420, "CRON": ""}),
    ],
)
def test_policies_in_prefect(options: dict[str, Any], values: dict[str, Any]) -> None:
    assert values.items() <= values_of_python(text_of(write("prefect", schedule(**options)))).items()


def test_policies_in_kubernetes() -> None:
    asked = schedule(
        overlap=Overlap.REPLACE, missed=Missed.SKIP, retries=2, timeout=1.5, name="Night_Job", zone="Asia/Tokyo"
    )
    job = yaml.safe_load(text_of(write("kubernetes", asked)))
    assert job["metadata"]["name"] == "night-job"
    spec = job["spec"]
    assert (spec["timeZone"], spec["concurrencyPolicy"], spec["startingDeadlineSeconds"]) == (
        "Asia/Tokyo",
        "Replace",
        60,
    )
    assert spec["jobTemplate"]["spec"]["backoffLimit"] == 2
    assert spec["jobTemplate"]["spec"]["template"]["spec"]["activeDeadlineSeconds"] == 2


def test_policies_in_systemd() -> None:
    done = write("systemd", schedule(missed=Missed.SKIP, timeout=90.0))
    assert "TimeoutStartSec=90s\n" in text_of(done, ".service")
    assert "Persistent=false\n" in text_of(done, ".timer")


def test_policies_in_cron() -> None:
    assert " timeout -s INT -k 60 90 " in text_of(write("cron", schedule(timeout=90.0)))
    assert " flock -o -n -E 0 /project/mlruns/p2p/schedule-told.lock " in text_of(write("cron", schedule()))
    assert " flock -o /project/" in text_of(write("cron", schedule(overlap=Overlap.QUEUE)))


def test_the_clocks_of_cron_are_those_of_the_machine() -> None:
    with pytest.raises(InputRefused, match="--cron-tz"):
        write("cron", schedule(zone="Europe/Berlin"))
    text = text_of(write("cron", schedule(zone="Europe/Berlin"), cron_zone=True))
    assert text.splitlines()[-2] == "CRON_TZ=Europe/Berlin"
    assert "CRON_TZ" not in text_of(write("cron", schedule(when="*/15 * * * *", zone="Europe/Berlin")))
    with pytest.raises(InputRefused, match="Asia/Kolkata"):
        write("cron", schedule(when="5 * * * *", zone="Asia/Kolkata"))


@pytest.mark.parametrize("when", ["* * * * *", "0,3 * * * *", "58,0 * * * *", "*/4 6 * * *"])
def test_github_starts_nothing_within_five_minutes(when: str) -> None:
    with pytest.raises(InputRefused, match="within 5 minutes"):
        write("github-actions", schedule(when=when))


def test_a_workflow_has_its_time_zone_where_it_is_not_utc() -> None:
    def times(zone: str) -> object:
        return yaml.safe_load(text_of(write("github-actions", schedule(zone=zone))))["on"]["schedule"]

    assert times("Europe/Berlin") == [{"cron": "0 6 * * *", "timezone": "Europe/Berlin"}]
    assert times("UTC") == [{"cron": "0 6 * * *"}]


def test_what_is_too_long_is_refused() -> None:
    with pytest.raises(InputRefused, match="bytes, and cron reads 998"):
        write("cron", schedule("x" * 1000))
    with pytest.raises(InputRefused, match="52 at most"):
        write("kubernetes", schedule(name="x" * 53))
    with pytest.raises(InputRefused, match="--image"):
        write("kubernetes", schedule(), image="")
    with pytest.raises(InputRefused, match="whole path"):
        write("systemd", schedule(), python="python")
