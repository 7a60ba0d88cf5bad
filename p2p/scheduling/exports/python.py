"""What schedulers that read Python have in common: a module of literals, and a fixed text below them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from p2p.scheduling.exports.command import command_of, has_fields
from p2p.scheduling.exports.model import Order

_RUN: Final = '''\
def p2p_run(*options):
    """Run it with further options; gives the key of its run, and raises where it did not end well."""
    command = [*COMMAND, *options, "--json", "--", TARGET]
    process = subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.PIPE, text=True)
    try:
        answer, _ = process.communicate(timeout=TIMEOUT)
    except BaseException:  # its time is over, or the task was stopped: the run ends as KILLED
        process.terminate()
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
        raise
    print(answer)
    if process.returncode:
        raise RuntimeError(f"p2p run ended with exit code {process.returncode}")
    return json.loads(answer)["key"]


def options_of(number, before, moment):
    """The options of a task: what its run goes on with, where it ends, and the time that it stands for."""
    until = TASKS[number][1]
    options = [f"--resume={before}"] if before else []
    options += [f"--until={until}"] if until else []
    return options + ([f"--at={moment.isoformat()}"] if TIMED and moment else [])
'''


def module(order: Order, title: str, notes: Sequence[str], imports: str, values: Mapping[str, Any], body: str) -> str:
    """The text of a module.

    Args:
        order: what is exported.
        title: its first line; a text of ours.
        notes: what is not done there.
        imports: the scheduler's import lines.
        values: by name, what the body needs: plain data.
        body: its own text.
    """
    *command, _end, target = command_of(order)
    tasks = tasks_of(order.steps)
    every = {
        "COMMAND": command, "TARGET": target, "FOLDER": order.folder, "TIMEOUT": order.schedule.timeout,
        "TIMED": has_fields(order), "TASKS": tasks, **values,
    }  # fmt: skip
    told = "".join(f"- {note}\n" for note in notes)
    head = f'"""{title}\n\nWritten by p2p schedule export: change the schedule, and export it again.\n'
    doc = f'{head}\nNot as p2p schedule start does it:\n\n{told}"""' if notes else f'{head}"""'
    literals = "\n".join(f"{name} = {literal(value)}" for name, value in every.items())
    return f"{doc}\n\n{imports}\n{literals}\n\n\n{_RUN}\n\n{body}"


def literal(value: Any) -> str:
    """Plain data as Python writes it, in ASCII: no name, no template, nothing that turns a line's direction."""
    if isinstance(value, list) and value:
        return "[\n" + "".join(f"    {item!a},\n" for item in value) + "]"
    return ascii(value)


def tasks_of(steps: Sequence[str]) -> list[tuple[str, str]]:
    """Each task's name and the step that it ends with; empty for the last, which ends with the pipeline."""
    if not steps:
        return [("run", "")]
    names = identifiers(steps)
    return [*zip(names[:-1], steps[:-1], strict=True), (names[-1], "")]


def identifiers(texts: Sequence[str]) -> list[str]:
    """A name for each text, of ASCII letters, digits and `_`, no two the same."""
    found: list[str] = []
    for number, text in enumerate(texts, 1):
        name = re.sub(r"\W", "_", text, flags=re.ASCII)
        found.append(name if name not in found and re.match(r"[A-Za-z]", name) else f"step_{number}_{name}")
    return found
