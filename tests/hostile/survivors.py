"""One notebook whose cells do what cells should not, and one real `p2p run` of it, for the rows that need a kernel."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from p2p.settings import Settings
from tests.building import notebook
from tests.journeys.workshop import Done, Workshop

# A file's name that is an option, a template, a tag, a device and an emoji.
NAME = "-rf {0.__class__} <img src=x onerror=pwned()> CON \U0001f427"
GIVEN_SECRET = "correct-horse-<battery>-'staple'"
DEFAULT_SECRET = 'default-swordfish-"7"'
ENVIRONMENT_SECRET = "environment-hunter2-&"
MARKUP = "<img src=x onerror=pwned()><script>pwned()</script>"
TEXT = f"a\x00b \u2028 \u202e ' \" \\n {{0.__class__}} %s $HOME {MARKUP}"

KEY = "os.environ['SERVICE_API_KEY']"
PARAMS = f"""
    from pydantic import SecretStr

    text: str = ""
    numbers: list[float] = []
    token: SecretStr = SecretStr("none")
    long: str = ""
    spare: SecretStr = SecretStr({DEFAULT_SECRET!r})
"""
CELLS = {
    "round trip": "%%step tell\nseen = [repr(text), repr(numbers)]",
    "long": "%%step " + "s" * 300 + "\nsize = len(long)\nsize",
    "chdir": "import os, pathlib\npathlib.Path('away').mkdir()\nos.chdir('away')",
    "signals": "import signal\nfor s in (signal.SIGTERM, signal.SIGINT):\n    signal.signal(s, signal.SIG_IGN)",
    "children": "import subprocess\nchild = subprocess.Popen(['sleep', '600'])\nprint('child', child.pid, os.getpid())",
    "child prints": "subprocess.run(['echo', os.environ['SERVICE_API_KEY'] + '\\x1b]0;t\\x07 said'])\n"
    "os.write(2, b'\\x1b[2J' + os.environ['SERVICE_API_KEY'].encode() + b' shouted\\n')",
    "threads": "import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()",
    "shell": "!exit 3",
    "captured shell": "lines = !exit 3",
    "allowed shell": "!false || true",
    "bash": "%%bash\nexit 3",
    "recursion": "import sys\nsys.setrecursionlimit(300)\ndef f():\n    return f()\nf()",
    "memory": "bytearray(1 << 60)",
    "input": "input('name? ')",
    "breakpoint": "breakpoint()\n'after'",
    "control": "print('\\x1b]0;pwned\\x07\\x1b[2J')",
    "surrogate": "print('a\\ud800b')\nraise ValueError('\\ud800')",
    "markup": "print(text)\nraise ValueError(text)",
    "markup value": "text",
    "secret stream": "print(token.get_secret_value(), os.environ['SERVICE_API_KEY'], spare.get_secret_value())",
    "secret pieces": f"print({KEY}[:9], end='', flush=True)\ntime.sleep(0.5)\nprint({KEY}[9:])",
    "secret value": "{'as': [token.get_secret_value()], 'html': os.environ['SERVICE_API_KEY']}",
    "secret error": f"raise RuntimeError(token.get_secret_value() + spare.get_secret_value() + {KEY})",
    "environment": "os.environ.clear()",
    "too much": "for _ in range(300):\n    print('x' * 999)",
    "after too much": "print('as ever')",
}  # fmt: skip
FIRST = "import os, time"


@dataclass(frozen=True)
class Survivors:
    """What the run left behind."""

    workshop: Workshop
    done: Done
    output: Path
    elsewhere: Path

    @property
    def executed(self) -> Any:
        return nbformat.read(self.output, as_version=4)  # type: ignore[no-untyped-call]  # it has no types

    def outputs(self, name: str) -> list[Any]:
        """The outputs of the cell with this name."""
        [cell] = [cell for cell in self.executed.cells if cell.metadata.get("row") == name]
        return list(cell.outputs)

    def text(self, name: str) -> str:
        return "".join(output.get("text", "") for output in self.outputs(name))

    def error(self, name: str) -> str:
        """The type of the error that a cell ended with; empty when it ended without."""
        return next((output["ename"] for output in self.outputs(name) if output["output_type"] == "error"), "")

    @property
    def page(self) -> str:
        """The run's HTML."""
        [record] = self.workshop.records(run_kind="notebook")
        return next(record.directory.glob("*.html")).read_text(encoding="utf-8")


def run_survivors(settings: Settings) -> Survivors:
    """Write the notebook and run it, with an output that is a link to somewhere else."""
    environment = {"SERVICE_API_KEY": ENVIRONMENT_SECRET, "P2P_OUTPUT_LIMIT": "50KB"}
    workshop = Workshop(settings, environment)
    path = settings.root / "notebooks" / f"{NAME}.ipynb"
    path.write_text(json.dumps(_document()), encoding="utf-8")
    elsewhere = settings.root.parent / "elsewhere.txt"
    elsewhere.write_text("untouched", encoding="utf-8")
    output = settings.root / "out {0.__class__}" / "..{text}.ipynb"
    output.parent.mkdir()
    output.symlink_to(elsewhere)
    values = settings.root / "values.json"
    values.write_text(
        json.dumps({"text": TEXT, "numbers": [float("nan"), float("-inf"), 1e308], "long": "x" * 200_000}),
        encoding="utf-8",
    )
    done = workshop.p2p(
        "run", str(path), "-f", str(values), "-p", f"token={GIVEN_SECRET}", "-o", str(output), "--log-output",
    )  # fmt: skip
    return Survivors(workshop, done, output, elsewhere)


def _document() -> dict[str, Any]:
    document = notebook(FIRST, *CELLS.values(), params=PARAMS)
    for cell, name in zip(document["cells"], ["parameters", "first", *CELLS], strict=True):
        cell["metadata"]["row"] = name
        cell["metadata"].setdefault("tags", []).append("raises-exception")
    document["cells"].insert(1, {"cell_type": "markdown", "id": "title", "metadata": {}, "source": "# The title"})
    return document


def gone(pid: int) -> bool:
    """Whether a process ends within a few seconds."""
    limit = time.monotonic() + 10
    while time.monotonic() < limit:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if (
            Path(f"/proc/{pid}/stat").is_file()
            and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        ):
            return True
        time.sleep(0.1)
    return False
