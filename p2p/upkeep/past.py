"""The runs that a project has had, without reading all their journals each time that somebody asks.

A journal only grows. So what its first line says stays right, and what all of it says stays right for as long as it is
as long as it was. Both are kept in an index by whoever has read a journal, and by nobody else: a run writes nothing
there. Which runs there are is told by their directories; a lost or damaged entry costs the reading of its journal.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from pathlib import Path
from typing import Any

from blake3 import blake3

from p2p.errors import StoreError
from p2p.model import RunStatus
from p2p.settings import Settings
from p2p.store import Ledger
from p2p.tracking.journal import NAME, events_of
from p2p.tracking.records import opening


@dataclass(frozen=True, slots=True)
class PastRun:
    """What is asked of past runs.

    Attributes:
        key: the name of its directory.
        run_kind, name, source: as they were when it opened.
        purpose: its tag `p2p.purpose`; empty for none.
        size: bytes of its journal when its end was looked for; -1 where nobody has looked.
        status: how it had ended by then.
        run_id: MLflow's id of it; empty while MLflow did not know it.
        at: when it ended, in seconds since the epoch.
    """

    key: str
    run_kind: str = ""
    name: str = ""
    source: str = ""
    purpose: str = ""
    size: int = -1
    status: RunStatus = RunStatus.RUNNING
    run_id: str = ""
    at: float = 0.0


_FIELDS = fields(PastRun)


class PastRuns:
    """All runs of a project, the newest first, each looked into no further than it is asked for.

    Args:
        settings: of the project.
    """

    def __init__(self, settings: Settings) -> None:
        self._runs = settings.runs
        self._index = Ledger(settings.index)
        self._keys = sorted((path.name for path in _listed(self._runs)), reverse=True)
        self._known = dict(_entries(self._index))
        gone = self._known.keys() - set(self._keys)
        if len(gone) > len(self._keys):
            self._index.drop([_key_of(key) for key in gone])

    def having(self, **facts: str) -> Iterator[PastRun]:
        """The runs that opened with these facts, all where none is given, each as it has ended by now."""
        asked = attrgetter("run_kind", "name", *facts)  # of two names and more, a tuple
        for key in self._keys:
            known = self._known.get(key)
            found = known or self._opened(key)
            matches = asked(found)[2:] == tuple(facts.values())
            now = self._ended(found) if matches else found
            if now is not known:  # once a run: it costs more than to find out
                self._keep(found if now.status is RunStatus.RUNNING else now)
            if matches:
                yield now

    def _opened(self, key: str) -> PastRun:
        facts = opening(self._runs / key)
        if facts is None:  # it has not begun, or its first line is damaged: nothing that would stay right
            return PastRun(key)
        kind, name, source = (str(facts.get(fact) or "") for fact in ("run_kind", "name", "source"))
        return PastRun(key, kind, name, source, str((facts.get("tags") or {}).get("p2p.purpose", "")))

    def _ended(self, found: PastRun) -> PastRun:
        """The run with its end, which is read again where its journal has grown."""
        directory = self._runs / found.key
        size = _size(directory / NAME)
        if size == found.size:
            return found
        with contextlib.suppress(OSError, KeyError, ValueError):  # nobody can say, so it counts as open
            return _as_told(found, size, [*events_of(directory, "run_finished", "mlflow_run")])
        return found

    def _keep(self, found: PastRun) -> None:
        if found.run_kind and self._known.get(found.key) is not found:
            self._known[found.key] = found
            with contextlib.suppress(StoreError, OSError):  # then the next one reads the journal again
                self._index.add(_key_of(found.key), json.dumps(_facts(found)).encode())


def _as_told(found: PastRun, size: int, events: Sequence[Mapping[str, Any]]) -> PastRun:
    """The run with what these events say: the first end counts, and the last id."""
    run_id = next((event["run_id"] for event in reversed(events) if event["kind"] == "mlflow_run"), "")
    end = next((event for event in events if event["kind"] == "run_finished"), None)
    if end is None:
        return replace(found, run_id=run_id)
    return replace(found, size=size, status=RunStatus(end["status"]), run_id=run_id, at=end["at"] / 1e9)


def _listed(folder: Path) -> Iterator[Path]:
    return folder.iterdir() if folder.is_dir() else iter(())


def _entries(index: Ledger) -> Iterator[tuple[str, PastRun]]:
    for _, text in index.entries():
        with contextlib.suppress(ValueError, TypeError, KeyError):
            facts: dict[str, Any] = json.loads(text)
            found = PastRun(**{**facts, "status": RunStatus(facts["status"])})
            yield found.key, found


def _facts(found: PastRun) -> dict[str, Any]:
    return {each.name: getattr(found, each.name) for each in _FIELDS}  # `asdict` takes ten times as long


def _key_of(key: str) -> str:
    """The index's key of a run."""
    return str(blake3(key.encode()).hexdigest())


def _size(journal: Path) -> int:
    try:
        return journal.stat().st_size
    except OSError:
        return -1
