"""The last good run of a notebook or a pipeline."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from p2p.model import RunStatus
from p2p.tracking.records import opening, read_record


@dataclass(frozen=True)
class GoodRun:
    """A run that is FINISHED.

    Attributes:
        run: MLflow's run id; the key of its directory while MLflow does not know it.
        at: when it ended, in seconds since the epoch.
    """

    run: str
    at: float


_BULKY = ("params", "packages")  # facts that are asked for nowhere here, and are nearly all of an opening


class GoodRuns:
    """All runs of a project, the newest first, each looked into no further than it is asked for."""

    def __init__(self, runs: Path) -> None:
        self._unread = iter(sorted(runs.glob("*"), reverse=True) if runs.is_dir() else [])
        self._read: list[tuple[Path, Mapping[str, Any]]] = []

    def last(self, verified: Collection[str] = (), **facts: Any) -> GoodRun | None:
        """The newest one; None when there is none.

        Args:
            verified: MLflow ids of the runs that proved a version. Other runs for a proof do not count: they may have
                ended well and given other values than the notebook.
            facts: values that its opening facts must have.
        """
        for directory, opened in self._openings():
            if _has(opened, facts):
                record = read_record(directory)
                if record.status is RunStatus.FINISHED and (not _is_proof(opened) or record.run_id in verified):
                    return GoodRun(record.run_id or record.key, record.end["at"] / 1e9)
        return None

    def _openings(self) -> Iterator[tuple[Path, Mapping[str, Any]]]:
        yield from self._read
        for path in self._unread:
            opened = opening(path)
            if opened is not None:
                self._read.append((path, {name: value for name, value in opened.items() if name not in _BULKY}))
                yield self._read[-1]


def _is_proof(opened: Mapping[str, Any]) -> bool:
    return bool(opened.get("tags", {}).get("p2p.purpose") == "verification")


def _has(opened: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    return all(opened.get(name) == value for name, value in facts.items())
