"""`p2p schedule export`, and what its command is made of: fields that it fills in itself, parts of a pipeline."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from p2p.settings import Settings
from tests.building import pipelines_apart, write_notebook
from tests.cli.conftest import Answer, p2p  # noqa: F401  # a fixture
from tests.scheduling.exports.reading import values_of_python, words_of_python
from tests.scheduling.exports.told import told, write_project

Command = Callable[..., Answer]


@pytest.fixture
def root(settings: Settings) -> Iterator[Path]:
    with pipelines_apart():
        yield write_project(settings.root)


@pytest.fixture
def command(p2p: Command, root: Path) -> Command:  # noqa: F811  # the fixture
    done = p2p("schedule", "add", "0 6 * * *", "told", "--tz", "UTC", "-p", "day={logical_date}", "-p", "text={{ ds }}")
    assert done.code == 0, done.err
    return p2p


def test_what_is_exported_runs_without_the_ledger_and_is_the_schedule(command: Command, settings: Settings) -> None:
    done = command("schedule", "export", "told", "--to", "airflow")
    assert done.code == 0, done.err
    assert words_of_python(done.out) == [
        sys.executable, "-m", "p2p", "run", "--param=day={logical_date}", "--param=text={{ ds }}", "--when=0 6 * * *",
        "--tz=UTC", "--", "told",
    ]  # fmt: skip
    assert "note: the last of the runs" in done.err
    settings.schedules.unlink()
    ran = command(*words_of_python(done.out)[3:-2], "--at=2026-11-20T06:00:00+00:00", "--", "told")
    assert ran.code == 0, ran.err
    (found,) = told(settings.root)
    assert (found["day"], found["text"]) == ("2026-11-20", "{{ ds }}")


def test_a_task_per_step_pins_the_version(command: Command) -> None:
    values = values_of_python(command("schedule", "export", "told", "--to", "airflow", "--per", "step").out)
    assert values["TARGET"] == "told@1"
    assert [step for _name, step in values["TASKS"]] == ["draw", "{{ ds }}'; import os", ""]
    assert values_of_python(command("schedule", "export", "told", "--to", "dagster").out)["TASKS"] == values["TASKS"]


def test_files_are_written_and_not_written_over(command: Command, root: Path) -> None:
    done = command("schedule", "export", "told", "--to", "systemd", "-o", "units", "--json")
    assert [Path(path).name for path in done.document["written"]] == ["p2p-told.service", "p2p-told.timer"]
    assert {path.name for path in (root / "units").iterdir()} == {"p2p-told.service", "p2p-told.timer"}
    again = command("schedule", "export", "told", "--to", "systemd", "-o", "units", "--json")
    assert (again.code, "--replace" in again.document["error"]) == (2, True)
    assert command("schedule", "export", "told", "--to", "systemd", "-o", "units", "--replace").code == 0
    assert command("schedule", "export", "told", "--to", "cron", "-o", "told.cron").code == 0
    assert (root / "told.cron").read_text().startswith("# A schedule of p2p")
    assert set(command("schedule", "export", "told", "--to", "cron", "--json").document["files"]) == {"told.crontab"}


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--to", "airfow"), "Closest: airflow"), (("--to", "x"), "There are: cron, systemd"),
        (("--to", "cron", "--per", "step"), "choose airflow or dagster"),
        (("--to", "airflow", "--per", "x"), "run, step"),
        (("--to", "kubernetes"), "--image"),
    ],
)  # fmt: skip
def test_what_is_asked_wrongly_is_refused(command: Command, arguments: tuple[str, ...], why: str) -> None:
    done = command("schedule", "export", "told", *arguments, "--json")
    assert done.code == 2
    assert why in done.document["error"]


def test_a_notebook_is_one_task(p2p: Command, root: Path) -> None:  # noqa: F811  # the fixture
    write_notebook(root / "notebooks" / "n.ipynb", "y = 1")
    assert p2p("schedule", "add", "@daily", "notebooks/n.ipynb").code == 0
    done = p2p("schedule", "export", "n", "--to", "dagster", "--per", "step", "--json")
    assert (done.code, "is a notebook" in done.document["error"]) == (2, True)
    assert values_of_python(p2p("schedule", "export", "n", "--to", "dagster").out)["TASKS"] == [("run", "")]


def test_a_field_is_filled_in_for_the_last_time_that_is_over(command: Command, root: Path) -> None:
    done = command("run", "told", "-p", "time={logical_time}", "-p", "day={previous_date}", "--when", "0 0 29 2 *",
                   "--tz", "Europe/Berlin")  # fmt: skip
    assert done.code == 0, done.err
    (found,) = told(root)
    assert found["time"].endswith("-02-29T00:00:00+01:00")
    assert int(found["time"][:4]) - int(found["day"][:4]) == 4


@pytest.mark.soak
def test_without_times_a_field_is_a_text(command: Command, root: Path) -> None:
    assert command("run", "told", "-p", "text={logical_date}").code == 0
    assert told(root)[0]["text"] == "{logical_date}"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--at", "2026-01-01"), "Say --when WHEN too"), (("--tz", "UTC"), "Say --when WHEN too"),
        (("--when", "@daily", "--at", "noon"), "no date or time"),
        (("--when", "@daily", "--tz", "X/Y"), "no time zone"),
        (("--when", "at 2999-01-01 06:00"), "still to come"), (("--when", "x"), "no time for a schedule"),
        (("--when", "@daily", "-p", "text={logical_dat}"), "Closest: {logical_date}"),
        (("--until", "drow"), "Closest name: 'draw'"),
    ],
)  # fmt: skip
def test_times_and_steps_that_are_none_are_refused(command: Command, arguments: tuple[str, ...], why: str) -> None:
    done = command("run", "told", *arguments, "--json")
    assert done.code == 2
    assert why in done.document["error"]


def test_a_run_of_a_part_is_gone_on_with_by_the_next_and_no_step_runs_twice(command: Command, root: Path) -> None:
    """The step `draw` gives another value each time that it runs, and `tell` fails where it is not the one noted."""
    first = command("run", "told", "--until", "draw", "--json").document
    assert [step["name"] for step in first["steps"]] == ["draw"]
    second = command("run", "told", "--resume", first["key"], "--until", "{{ ds }}'; import os", "--json").document
    last = command("run", "told", "--resume", second["key"], "--json").document
    assert [(step["name"], step["cached"]) for step in last["steps"]] == [
        ("draw", True), ("{{ ds }}'; import os", True), ("tell", False),
    ]  # fmt: skip
    assert [one["drawn"] for one in told(root)] == [first["outputs"]["drawn"]]
    over = command("run", "told", "--resume", last["key"], "--json")
    assert "nothing is left to do" in over.document["error"]


@pytest.mark.soak
def test_a_part_that_is_the_whole_is_no_part(command: Command) -> None:
    done = command("run", "told", "--until", "tell", "--json").document
    assert json.loads(command("run", "told", "--resume", done["key"], "--json").out)["error"]


def test_a_notebook_has_no_part(p2p: Command, root: Path) -> None:  # noqa: F811  # the fixture
    path = write_notebook(root / "notebooks" / "n.ipynb", "y = 1")
    assert "runs to its end" in p2p("run", str(path), "--until", "x", "--json").document["error"]
