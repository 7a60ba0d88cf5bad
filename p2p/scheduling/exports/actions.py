"""GitHub Actions: a workflow with a schedule."""

from __future__ import annotations

import math
import sys
import unicodedata
from itertools import pairwise
from typing import Any, Final

from p2p.errors import InputRefused
from p2p.scheduling.exports.command import command_of
from p2p.scheduling.exports.model import Exported, Order, Per
from p2p.scheduling.exports.policies import Words, unsaid
from p2p.scheduling.exports.times import Calendar, plain_calendar
from p2p.scheduling.exports.yaml import dumped
from p2p.scheduling.model import Missed, Overlap, Schedule

_SHORTEST: Final = 5  # minutes from one run to the next


class GitHubActions:
    """GitHub Actions: see `Target`."""

    name = "github-actions"
    elsewhere = True
    per = (Per.RUN,)

    def write(self, order: Order) -> Exported:
        """A workflow, for `.github/workflows/`."""
        schedule = order.schedule
        notes = (*unsaid(schedule, _words()), "it starts late, or not at all, when GitHub is busy", _KEEPS_NOTHING)
        calendar = plain_calendar(schedule, "GitHub Actions")
        _check_pace(schedule, calendar)
        times: dict[str, Any] = {"cron": calendar.text}
        if calendar.zone != "UTC":
            times["timezone"] = calendar.zone
        workflow = {
            "name": f"p2p {schedule.name}",
            "on": {"schedule": [times], "workflow_dispatch": {}},
            "permissions": {"contents": "read"},
            "concurrency": {
                "group": f"p2p-{schedule.name}", "cancel-in-progress": schedule.overlap is Overlap.REPLACE,
            },
            "jobs": {"run": _job(order)},
        }  # fmt: skip
        return Exported({f"{schedule.name}.yml": dumped(workflow, "a workflow of GitHub Actions", notes)}, notes)


def _job(order: Order) -> dict[str, Any]:
    job: dict[str, Any] = {"runs-on": "ubuntu-latest"}
    if order.schedule.timeout is not None:
        job["timeout-minutes"] = math.ceil(order.schedule.timeout / 60)
    job["env"] = {"MLFLOW_TRACKING_URI": "${{ vars.MLFLOW_TRACKING_URI }}"}
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    run: dict[str, Any] = {"run": in_script(command_of(order)), "shell": "bash"}
    if order.folder:
        run["working-directory"] = _plain(order.folder)
    job["steps"] = [
        {"uses": "actions/checkout@v4"},
        {"uses": "actions/setup-python@v5", "with": {"python-version": python}},
        *({"run": in_script(["python", "-m", "pip", "install", *what]), "shell": "bash"} for what in _needs(order)),
        run,
    ]
    return job


def _needs(order: Order) -> list[list[str]]:
    return [*(["-r", lock] for lock in order.locks), ["p2p-toolkit"]]


def in_script(words: list[str]) -> str:
    """A line of bash in which every word is what it is, and nothing is an expression of GitHub's."""
    return " ".join(map(quoted, words))


def quoted(word: str) -> str:
    """A word for bash. What cannot be seen is written as its bytes, and `${{` never appears."""
    if word and all(one.isascii() and (one.isalnum() or one in "-_./=:,+@") for one in word):
        return word
    if any(unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp") for one in word):
        return "$'" + "".join(_as_bytes(one) for one in word) + "'"
    inner = word.replace("'", "'\"'\"'").replace("${{", "$''{{")
    return f"'{inner}'"


def _as_bytes(one: str) -> str:
    if one.isascii() and (one.isalnum() or one in " -_./=:,+@{}"):
        return one
    return "".join(f"\\x{byte:02x}" for byte in one.encode())


def _plain(folder: str) -> str:
    if "${{" in folder or any(unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp") for one in folder):
        raise InputRefused(f"The folder {folder!r:.120} cannot be written into a workflow.", cure="Name another one.")
    return folder


def _check_pace(schedule: Schedule, calendar: Calendar) -> None:
    minutes = calendar.minutes or tuple(range(60))
    around = [*minutes, minutes[0] + 60] if calendar.hours is None else [*minutes]
    if any(later - earlier < _SHORTEST for earlier, later in pairwise(around)):
        raise InputRefused(
            f"Schedule '{schedule.name}' is due at '{schedule.when:.80}', and GitHub starts nothing within "
            f"{_SHORTEST} minutes of the last start.",
            cure="Have it run less often, or leave it to p2p schedule start.",
        )


_KEEPS_NOTHING: Final = (
    "the runner keeps nothing: runs are seen where the repository's variable MLFLOW_TRACKING_URI says, and nowhere else"
)


def _words() -> Words:
    waits = "a run that is due while another is at work waits for it, and only the last of those that wait runs"
    return Words(
        tool="GitHub Actions", overlap={Overlap.SKIP: waits, Overlap.REPLACE: ""},
        missed={Missed.SKIP: "", Missed.LATEST: "missed runs are not made up for"},
        others=frozenset({"timeout"}),
    )  # fmt: skip
