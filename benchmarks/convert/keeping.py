"""Results as JSON lines, one for each notebook and stage: an interrupted table goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.convert.sources import Source


class Kept:
    """What is known so far.

    Args:
        path: the file of results; None keeps them for this run alone.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str, str], dict[str, Any]] = {}
        if path is not None and path.exists():
            self._read(path)

    def get(self, stage: str, source: Source) -> dict[str, Any] | None:
        """What a stage found out about a notebook; None when it has not seen this notebook as it is now."""
        return self._known.get((stage, source.name, _digest(source)))

    def add(self, stage: str, source: Source, result: Any) -> dict[str, Any]:
        """Keep a result, at once."""
        line = {"stage": stage, "notebook": source.name, "digest": _digest(source), "result": asdict(result)}
        with self._lock:
            self._note(line)
            if self._path is not None:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
        return self._known[stage, source.name, line["digest"]]

    def _read(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        if text and not text.endswith("\n"):  # the last line was cut short
            with path.open("a", encoding="utf-8") as file:
                file.write("\n")
        for line in text.splitlines():
            try:
                self._note(json.loads(line))
            except ValueError:
                continue  # it is done again

    def _note(self, line: dict[str, Any]) -> None:
        self._known[line["stage"], line["notebook"], line["digest"]] = line["result"]


def _digest(source: Source) -> str:
    return hashlib.sha256(source.path.read_bytes()).hexdigest()[:16]
