"""A project with a pipeline that writes down what it was given, and schedules whose values are hostile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from p2p.scheduling.model import Schedule

HOSTILE: Final = (
    "; rm -rf ~", "two\nlines\r\n", "100 % of 5%", "{{ ds }} {% raw %}", "${{ secrets.TOKEN }} ${{",
    "$(touch owned) $HOME",
    "`touch owned`", "it's \"quoted\"", "back\\slash \\\\ \\% \\", "%i %n %h %%", "!!python/object:os.system [x]",
    "&anchor *anchor", "# no comment", "left\u202eright\u2066", "a\tb\x1b[31m", "", " ", "-rf", "--json", "- {a: b}",
    "yes", "null", "1e3", "{logical_dates}", "ünïcode 日本", "x" * 300,
    "\\n\\x41\\u0041", "';touch owned;'", "$$ $$(X)",
)  # fmt: skip
FIT_FOR_CRON: Final = tuple(text for text in HOSTILE if not any(one in text for one in "\n\r\t\x1b"))

_STEPS = """
import json
import os


def draw():
    return os.urandom(8).hex()  # another one each time: only the run that it came from can give it again


def note(text: str, day: str, time: str, drawn: str):
    return {"text": text, "day": day, "time": time, "drawn": drawn}


def tell(noted: dict, drawn: str):
    assert noted["drawn"] == drawn
    with open("told.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(noted) + "\\n")
    return len(noted)
"""
_PIPELINE = """
from pydantic import BaseModel

from p2p import Pipeline, Task

from . import steps


class Params(BaseModel):
    text: str = ""
    day: str = ""
    time: str = ""


pipeline = Pipeline(name="told", version=1, params=Params, tasks=[
    Task(steps.draw, outputs=["drawn"]),
    Task(steps.note, inputs=["text", "day", "time", "drawn"], outputs=["noted"], name="{{ ds }}'; import os"),
    Task(steps.tell, inputs=["noted", "drawn"], outputs=["count"]),
])
"""


def write_project(root: Path) -> Path:
    """A project whose pipeline `told` appends what it was given to `told.jsonl`."""
    home = root / "pipelines" / "told"
    (home / "v1").mkdir(parents=True, exist_ok=True)
    (root / "mlruns" / "p2p").mkdir(parents=True, exist_ok=True)
    (root / "pipelines" / "__init__.py").write_text("")
    (home / "__init__.py").write_text("from .v1.pipeline import pipeline as pipeline\n")
    (home / "v1" / "__init__.py").write_text("")
    (home / "v1" / "manifest.json").write_text("{}")
    (home / "v1" / "steps.py").write_text(_STEPS)
    (home / "v1" / "pipeline.py").write_text(_PIPELINE)
    return root


def told(root: Path) -> list[dict[str, Any]]:
    """What the runs were given."""
    path = root / "told.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def schedule(text: str = "plain", **options: Any) -> Schedule:
    """A schedule of the pipeline with this value, and the date and time of its tick."""
    params = {"text": text, "day": "{logical_date}", "time": "{logical_time}"}
    usual = {"name": "told", "target": "told@1", "when": "0 6 * * *", "zone": "UTC", "params": params}
    return Schedule(**{**usual, **options})
