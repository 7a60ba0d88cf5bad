"""A line about each past run: its parameters, figures and end, without reading its journal each time.

What all of a journal says stays right for as long as it is as long as it was, as in `upkeep.past`, whose index says
which runs there are. Of a run that has ended, the line is kept beside that index by whoever has read the journal.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from blake3 import blake3

from p2p.errors import StoreError
from p2p.model import RunStatus
from p2p.settings import Settings
from p2p.store import Ledger
from p2p.tracking.journal import counting_events
from p2p.upkeep.past import PastRun, PastRuns

_TOLD = ("run_opened", "mlflow_run", "logged", "run_finished")


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in one line.

    Attributes:
        key: the name of its directory.
        run_id: MLflow's id of it; empty while MLflow does not know it.
        name, kind, version, source: as they were when it opened; the version is None but for a pipeline's.
        status: how it ended; RUNNING until then.
        began: seconds since the epoch.
        seconds: wall time; of a run that has not ended, None.
        params: by name, as plain data, secrets masked.
        metrics: the last value of each metric that its code logged, by name.
        failed_step, error: what it failed by; empty for a run that did not.
        parent: key of the sweep that it is a point of; empty for none.
        size: bytes of the journal that this was read from.
    """

    key: str
    run_id: str = ""
    name: str = ""
    kind: str = ""
    version: int | None = None
    source: str = ""
    status: RunStatus = RunStatus.RUNNING
    began: float = 0.0
    seconds: float | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    failed_step: str = ""
    error: str = ""
    parent: str = ""
    size: int = -1


_FIELDS = fields(Summary)


class Summaries:
    """The lines of a project's runs, the newest first.

    Args:
        settings: of the project.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._ledger = Ledger(settings.index / "summaries")
        self._known = dict(_entries(self._ledger))

    def having(self, **facts: str) -> Iterator[Summary]:
        """Of the runs that opened with these facts (`name`, `run_kind`, `source`), of all where none is given.

        Those that p2p made to prove an export or to test it are left out.
        """
        for found in PastRuns(self._settings).having(**facts):
            if found.run_kind and not found.purpose:  # without a kind, it has not begun to say what it is
                yield self.of(found)

    def of(self, found: PastRun) -> Summary:
        """The line of one run."""
        known = self._known.get(found.key)
        if known is not None and known.size == found.size:
            return known
        read = _read(self._settings, found)
        if read.status is not RunStatus.RUNNING and found.size >= 0:
            self._keep(read)
        return read

    def _keep(self, summary: Summary) -> None:
        self._known[summary.key] = summary
        with contextlib.suppress(StoreError, OSError, ValueError):  # then the next one reads the journal again
            self._ledger.add(_key_of(summary.key), json.dumps(_facts(summary)).encode())


def _read(settings: Settings, found: PastRun) -> Summary:
    """The line that a run's journal gives; what is damaged in it is passed over."""
    summary = Summary(found.key, found.run_id, found.name, found.run_kind, source=found.source, size=found.size)
    with contextlib.suppress(OSError, KeyError, ValueError, TypeError):
        metrics: dict[str, float] = {}
        for event in counting_events(settings.runs / found.key, *_TOLD):
            kind = event["kind"]
            if kind == "run_opened":
                summary = replace(
                    summary, version=event.get("version"), began=event["at"] / 1e9, parent=event.get("parent") or "",
                    params=dict(event.get("params") or {}),
                )  # fmt: skip
            elif kind == "mlflow_run":
                summary = replace(summary, run_id=event["run_id"])
            elif kind == "logged":
                metrics |= {m["key"]: float(m["value"]) for m in event.get("metrics", ())}
            elif kind == "run_finished":
                summary = replace(
                    summary, status=RunStatus(event["status"]), seconds=event["at"] / 1e9 - summary.began,
                    failed_step=str(event.get("failed_step") or ""), error=str(event.get("error") or "")[:500],
                )  # fmt: skip
        summary = replace(summary, metrics=metrics)
    return summary


def _facts(summary: Summary) -> dict[str, Any]:
    return {each.name: getattr(summary, each.name) for each in _FIELDS}  # `asdict` would copy each to its bottom


def _entries(ledger: Ledger) -> Iterator[tuple[str, Summary]]:
    for _, line in ledger.entries():
        with contextlib.suppress(ValueError, TypeError, KeyError):
            facts: dict[str, Any] = json.loads(line)
            found = Summary(**{**facts, "status": RunStatus(facts["status"])})
            yield found.key, found


def _key_of(key: str) -> str:
    return str(blake3(key.encode()).hexdigest())
