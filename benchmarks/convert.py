"""What becomes of notebooks that somebody else wrote: `python -m benchmarks.convert FOLDER [--json]`.

Each notebook of the folder is run twice as it is, in a kernel of its own without p2p, to see whether it runs and which
of its values are the same both times. Then `p2p adopt --write` and `p2p export` are given a copy, with no edit by hand.
Where they accept, the values of the exported version are held against those of the plain notebook, by digest and
without a look at what p2p itself says of them.

| outcome | means |
|---|---|
| equal | exported, and every value that the plain notebook has both times is the same |
| different | exported, and one of those values is another: this must never be |
| refused | not exported; the reason is shown |
| does not run | the plain notebook itself fails here |
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_DIGESTS = """
import json as _p2p_json, types as _p2p_types
from p2p.store import MemoryStore as _P2PStore
def _p2p_digests(names):
    found = {}
    for name, value in names.items():
        if name.startswith("_") or isinstance(value, (_p2p_types.ModuleType, _p2p_types.FunctionType, type)):
            continue
        try:
            found[name] = _P2PStore().put(value).digest
        except Exception:
            found[name] = None
    return found
with open("p2p-digests.json", "w") as _p2p_file:
    _p2p_json.dump(_p2p_digests(dict(globals())), _p2p_file)
"""


@dataclass
class Converted:
    """What became of one notebook.

    Attributes:
        outcome: `equal`, `different`, `refused` or `does not run`.
        reason: why, in the words of whoever refused.
        compared: how many values were held against those of the plain notebook.
        unstable: names whose values differ between two runs of the plain notebook.
    """

    notebook: str
    outcome: str
    reason: str = ""
    compared: int = 0
    unstable: list[str] = field(default_factory=list)


class Conversion:
    """The conversion of one notebook, in a project of its own that starts with the files beside the notebook.

    Args:
        notebook: the notebook; it is not touched.
        root: an empty directory.
        timeout: seconds that a command may take.
    """

    def __init__(self, notebook: Path, root: Path, timeout: float) -> None:
        self.notebook = notebook
        self.root = root
        self.timeout = timeout
        self.name = "converted"

    def made(self) -> Converted:
        """Convert it, and see what came of it."""
        plain = [self._plain(number) for number in (1, 2)]
        failed = next((error for error, _digests in plain if error), "")
        if failed:
            return Converted(self.notebook.name, "does not run", failed)
        first, second = (digests for _error, digests in plain)
        stable = {name: digest for name, digest in first.items() if digest and second.get(name) == digest}
        unstable = sorted(name for name in first if name not in stable and first[name])
        self._folder("notebooks")
        for arguments in (
            ["adopt", f"notebooks/{self.name}.ipynb", "--write"],
            ["export", f"notebooks/{self.name}.ipynb"],
        ):
            code, answer = self._p2p(*arguments, "--json")
            if code != 0:
                return Converted(self.notebook.name, "refused", _reason(code, answer), unstable=unstable)
        return self._held_against(stable, unstable)

    def _held_against(self, stable: dict[str, str], unstable: list[str]) -> Converted:
        manifest = json.loads((self.root / "pipelines" / self.name / "v1" / "manifest.json").read_text())
        last = {name: fact["digest"] for step in manifest["steps"] for name, fact in step["outputs"].items()}
        compared = [name for name in last if name in stable and last[name]]
        other = [name for name in compared if last[name] != stable[name]]
        outcome, reason = ("different", f"other values: {', '.join(other)}") if other else ("equal", "")
        return Converted(self.notebook.name, outcome, reason, len(compared), unstable)

    def _folder(self, name: str) -> Path:
        """A copy of the notebook and of what lies beside it."""
        folder = self.root / name
        shutil.copytree(self.notebook.parent, folder, ignore=shutil.ignore_patterns("*.ipynb", ".*", "mlruns"))
        shutil.copyfile(self.notebook, folder / f"{self.name}.ipynb")
        return folder

    def _plain(self, number: int) -> tuple[str, dict[str, str | None]]:
        """The error of a plain run, and the digests of what it left."""
        folder = self._folder(f"plain-{number}")
        path = folder / f"{self.name}.ipynb"
        document = json.loads(path.read_text(encoding="utf-8"))
        last = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": _DIGESTS}
        path.write_text(json.dumps({**document, "cells": [*document["cells"], last]}))
        command = [
            "-m",
            "jupyter",
            "nbconvert",
            "--to",
            "notebook",
            "--execute",
            "--inplace",
            "--ExecutePreprocessor.kernel_name=python3",
            str(path),
        ]
        code, out = self._python(*command, cwd=folder)
        if code != 0:
            return (out.strip().splitlines() or ["it ended without a word"])[-1], {}
        return "", json.loads((folder / "p2p-digests.json").read_text())

    def _p2p(self, *arguments: str) -> tuple[int, str]:
        return self._python("-m", "p2p", *arguments, cwd=self.root)

    def _python(self, *arguments: str, cwd: Path) -> tuple[int, str]:
        """The exit code of a command, and what it said: on stdout, else on stderr."""
        environment = {**os.environ, "P2P_ROOT": str(self.root), "MPLBACKEND": "agg", "NO_COLOR": "1"}
        try:
            done = subprocess.run(
                [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False,
                timeout=self.timeout, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return 124, f"it takes longer than {self.timeout:g} s"
        return done.returncode, done.stdout or done.stderr


def _reason(code: int, answer: str) -> str:
    try:
        told = str(json.loads(answer)["error"])
    except (ValueError, KeyError, TypeError):
        told = (answer.strip().splitlines() or [""])[-1]
    return f"exit {code}: {told}"


def convert(folder: Path, timeout: float) -> list[Converted]:
    """Convert every notebook of a folder."""
    found = []
    for notebook in sorted(folder.glob("*.ipynb")):
        with tempfile.TemporaryDirectory() as root:
            try:
                made = Conversion(notebook, Path(root).resolve(), timeout).made()
            except (OSError, ValueError, KeyError) as error:
                made = Converted(notebook.name, "does not run", f"{type(error).__name__}: {error}")
        print(f"{made.outcome:13} {notebook.name}  {made.reason[:160]}", file=sys.stderr, flush=True)
        found.append(made)
    return found


def table(found: Sequence[Converted]) -> str:
    """The outcomes, counted."""
    counts = Counter(made.outcome for made in found)
    rows = [f"| {outcome} | {counts[outcome]} |" for outcome in ("equal", "refused", "different", "does not run")]
    compared = sum(made.compared for made in found)
    return "\n".join(["| outcome | notebooks |", "|---|---|", *rows, f"\n{compared} values were compared."])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.convert", description="Convert other people's notebooks."
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds that a command may take")
    options = parser.parse_args(arguments)
    found = convert(options.folder, options.timeout)
    answer: dict[str, Any] = {"notebooks": [asdict(made) for made in found]}
    print(json.dumps(answer, indent=1) if options.json else table(found))
    return 1 if any(made.outcome == "different" for made in found) else 0


if __name__ == "__main__":
    sys.exit(main())
