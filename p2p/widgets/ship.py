"""What the panel knows of shipping: versions, drift, and the commands that export, compare and promote."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from p2p.settings import Settings
from p2p.tracking import guard

_COMMANDS = ("export", "diff", "promote")


def standing_of(settings: Settings, notebook: Path | None) -> dict[str, Any]:
    """How the pipelines that were made of the notebook stand: `rows`, or the `problem` with finding out.

    Each row has `name`, `version` (the newest), `promoted`, `good` (when it ran well last) and `drift`, in words.
    """
    found = _command(settings, ["status", "--json"])
    if "problem" in found:
        return found
    path = notebook.resolve().relative_to(settings.root).as_posix() if notebook is not None else ""
    rows: list[dict[str, Any]] = found["answer"]
    names = {name for row in rows if row["kind"] == "notebook" and row["name"] == path for name in row["pipelines"]}
    ours = [row for row in rows if row["kind"] == "pipeline" and row["name"] in names]
    edited = [drift["what"] for row in rows if row["name"] == path for drift in row["drift"]]
    return {"rows": [_row(row, edited) for row in ours]}


def _row(row: Mapping[str, Any], edited: Sequence[str]) -> dict[str, Any]:
    return {
        "name": row["name"], "version": row["newest"], "promoted": row["promoted"] or "",
        "good": (row["run"] or {}).get("at", ""),
        "drift": "; ".join(dict.fromkeys([*edited, *(drift["what"] for drift in row["drift"])])) or "none",
    }  # fmt: skip


def done(
    settings: Settings, command: str, notebook: Path | None, arguments: Sequence[str], cells: Mapping[str, int]
) -> dict[str, Any]:
    """What a command answers, or why it refused: `answer`, or `problem` and its `findings`, each with its `cell`.

    Args:
        settings: the project's.
        command: `export`, `diff` or `promote`.
        notebook: this notebook.
        arguments: further ones, as on the command line.
        cells: by step of the notebook, the number of its cell.
    """
    if command not in _COMMANDS:
        return {"problem": f"'{command}' is no command of the panel."}
    if command == "export" and notebook is None:
        return {"problem": "Nobody tells which notebook this is; save it first."}
    target = [str(notebook)] if command == "export" else []
    told = _command(settings, [command, *target, *arguments, "--json"])
    if "problem" in told:
        told["findings"] = [{**finding, "cell": _cell_of(finding, cells)} for finding in told.get("findings", ())]
    return told


def _cell_of(finding: Mapping[str, str], cells: Mapping[str, int]) -> int | None:
    """The cell that a finding names, or that of the step that it names."""
    for fact in ("where", "what"):
        if found := re.search(r"\bcell (\d+)\b", finding.get(fact, "")):
            return int(found[1])
    step = re.search(r"\bstep '([^']*)'", finding.get("where", ""))
    return cells.get(step[1]) if step else None


def _command(settings: Settings, words: Sequence[str]) -> dict[str, Any]:
    """Run `p2p ...` in a process of its own: an export starts kernels, and takes its time."""
    ended = subprocess.run(
        [sys.executable, "-m", "p2p", *words], cwd=settings.root, env=guard.outside(), capture_output=True, text=True,
        errors="replace", stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    try:
        answer: Any = json.loads(ended.stdout)
    except ValueError:
        return {"problem": ended.stderr.strip()[-2000:] or f"it ended with exit code {ended.returncode}"}
    if ended.returncode == 0:
        return {"answer": answer}
    told: Mapping[str, Any] = answer if isinstance(answer, dict) else {}
    return {
        "problem": str(told.get("error") or ended.stderr.strip()[-2000:]),
        "findings": list(told.get("findings") or ()), "answer": answer,
    }  # fmt: skip
