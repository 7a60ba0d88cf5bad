"""Exported files read back by the grammar of who runs them: each gives the words of the command that would run."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
from datetime import UTC, datetime
from typing import Any, Final

import yaml
from hypothesis import strategies as st

from p2p.scheduling.exports import TARGETS, Exported, Order
from p2p.scheduling.model import Schedule
from tests.scheduling.exports.told import HOSTILE

SINCE: Final = datetime(2026, 11, 28, 12, tzinfo=UTC)
_any = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
_piece = st.sampled_from([*HOSTILE, "%", "\\", "'", '"', "$", "{{", "}}", "\\%", "%%", "$$", ";", " ", "\n"])
texts = st.lists(_any | _piece, max_size=5).map("".join)


def order(schedule: Schedule, **options: Any) -> Order:
    """An order as the command line makes it."""
    usual = {"folder": "/project", "python": "/venv/bin/python", "since": SINCE, "image": "registry/image:1"}
    return Order(schedule=schedule, **{**usual, **options})


def write(to: str, schedule: Schedule, **options: Any) -> Exported:
    return TARGETS[to].write(order(schedule, **options))


def text_of(done: Exported, end: str = "") -> str:
    return next(text for name, text in done.files.items() if name.endswith(end))


def words_of_cron(text: str) -> list[str]:
    """The last line: cron takes the times off and a backslash of each `\\%`, and has `sh` do the rest.

    Some crons take one of `\\\\` too, and some leave `\\%` to the shell: all of them must find the same.
    """
    assert text.count("\n") == len(text.splitlines()), "a line's end in a value"
    line = text.splitlines()[-1].split(" ", 5)[5]
    found, *others = (_words_of_line(line, unescaped) for unescaped in ("%", "%\\", ""))
    assert all(other == found for other in others)
    assert (found[0], found[2]) == ("cd", "&&")
    return found[found.index("/venv/bin/python") :]


def _words_of_line(line: str, unescaped: str) -> list[str]:
    found, escaped = "", False
    for one in line:
        if escaped:
            found, escaped = (found[:-1] if one in unescaped else found) + one, False
            continue
        assert one != "%", "the end of the command"
        found, escaped = found + one, one == "\\"
    return shlex.split(found)


_ESCAPES: Final = re.compile(rb"\\(x[0-9a-f]{2}|.)", re.DOTALL)


def words_of_systemd(text: str) -> list[str]:
    """ExecStart: words are unquoted, then specifiers are filled in, then variables."""
    (line,) = [one for one in text.split("\n") if one.startswith("ExecStart=")]
    quoted = re.findall(r'"((?:[^"\\]|\\.)*)"(?: |$)', line.removeprefix("ExecStart="))
    assert " ".join(f'"{word}"' for word in quoted) == line.removeprefix("ExecStart=")
    return [_plain(word, variables=number > 0) for number, word in enumerate(quoted)]


def _plain(word: str, *, variables: bool) -> str:
    def one(match: re.Match[bytes]) -> bytes:
        return bytes.fromhex(match[1][1:].decode()) if match[1].startswith(b"x") and len(match[1]) == 3 else match[1]

    text = _ESCAPES.sub(one, word.encode()).decode()
    return _doubled(_doubled(text, "%"), "$") if variables else _doubled(text, "%")


def _doubled(text: str, mark: str) -> str:
    parts = text.split(mark * 2)
    assert all(mark not in part for part in parts), f"a {mark} that means something"
    return mark.join(parts)


def words_of_kubernetes(text: str) -> list[str]:
    """The container's command, in which `$$` is a `$`."""
    (container,) = yaml.safe_load(text)["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    return [_doubled(word, "$") for word in container["command"]]


def words_of_actions(text: str) -> list[str]:
    """The last step: GitHub fills in its expressions first, and bash runs what is then there."""
    script = yaml.safe_load(text)["jobs"]["run"]["steps"][-1]["run"]
    assert "${{" not in script
    show = f"show() {{ printf '%s\\0' \"$@\"; }}\nshow {script}"
    done = subprocess.run(["bash", "-c", show], capture_output=True, check=True)
    return done.stdout.decode().split("\0")[:-1]


def values_of_python(text: str) -> dict[str, Any]:
    """The constants of a module, each a literal; nothing else of it may hold a value."""
    found: dict[str, Any] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue
    return found


def words_of_python(text: str) -> list[str]:
    assert text.isascii()
    values = values_of_python(text)
    return [*values["COMMAND"], "--", values["TARGET"]]


READERS: Final = {
    "cron": words_of_cron, "systemd": words_of_systemd, "kubernetes": words_of_kubernetes,
    "github-actions": words_of_actions, "airflow": words_of_python, "prefect": words_of_python,
    "dagster": words_of_python,
}  # fmt: skip
ENDS: Final = {"systemd": ".service"}


def words(to: str, schedule: Schedule, **options: Any) -> list[str]:
    """The words of the command that the exported file runs."""
    return READERS[to](text_of(write(to, schedule, **options), ENDS.get(to, "")))
