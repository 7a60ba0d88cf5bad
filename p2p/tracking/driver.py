"""A run's driver: the one who opens it, feeds MLflow from its journal, and alone ends it."""

from __future__ import annotations

import contextlib
import getpass
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from p2p.model import RunStatus
from p2p.settings import Settings
from p2p.tracking import mlstore
from p2p.tracking.feeder import Feeder
from p2p.tracking.journal import FORMAT, Journal, Tail, new_key

_INTERVAL = 0.25
Watcher = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """What is known of a run when it opens.

    Attributes:
        name: the notebook's or pipeline's name; also the experiment, unless the settings name another.
        run_kind: `notebook`, `interactive`, `module` or `script`.
        source: path of the notebook or module, relative to the project where it lies inside.
        params: all parameters as plain data, secrets masked.
    """

    name: str
    run_kind: str
    source: str = ""
    notebook_digest: str = ""
    version: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    git_commit: str = ""
    python: str = ""
    packages: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


class Driver:
    """Opens a run and ends it. In between, a thread tells MLflow (and a watcher) what the journal says.

    Args:
        settings: the project's.
        facts: what the run is.
        watch: called with each event, in the feeding thread.
        directory: the run's directory, when its journal already exists.
    """

    def __init__(
        self, settings: Settings, facts: RunFacts, *, watch: Watcher | None = None, directory: Path | None = None
    ) -> None:
        self.settings = settings
        self.facts = facts
        self.directory = directory or settings.runs / new_key()
        self.journal = Journal(self.directory)
        self.run_id = ""
        self.experiment = ""
        self._watch = watch
        self._tail = Tail(self.journal.path)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._feeder: Feeder | None = None

    def open(self) -> None:
        """Make the MLflow run and start to feed it."""
        client = mlstore.connect(self.settings)
        name = self.settings.experiment or self.facts.name
        self.experiment = mlstore.experiment_id(client, self.settings, name)
        run = client.create_run(self.experiment, run_name=_run_name(self.facts), tags=self._tags())
        self.run_id = run.info.run_id
        self.journal.append("run_opened", format=FORMAT, **asdict(self.facts))
        self.journal.append("mlflow_run", run_id=self.run_id, experiment=self.experiment)
        self._feeder = Feeder(client, self.run_id, self.experiment, _run_name(self.facts), self.directory)
        self._thread = threading.Thread(target=self._feed, name="p2p-feeder", daemon=True)
        self._thread.start()

    def end(self, status: RunStatus, **facts: Any) -> None:
        """End the run, truthfully: `facts` say which step and cell failed, and how."""
        self.journal.append("run_finished", status=status.value, **facts)
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self.journal.close()

    def _tags(self) -> dict[str, str]:
        facts = self.facts
        tags = {
            "mlflow.source.name": facts.source or facts.name,
            "mlflow.source.type": "NOTEBOOK" if facts.run_kind in ("notebook", "interactive") else "LOCAL",
            "mlflow.source.git.commit": facts.git_commit,
            "mlflow.user": _user(),
            "p2p.kind": facts.run_kind,
            "p2p.name": facts.name,
            "p2p.version": str(facts.version or ""),
            "p2p.notebook_digest": facts.notebook_digest,
            "p2p.run": self.directory.name,
            "p2p.python": facts.python,
        }
        return {k: v for k, v in {**tags, **facts.tags}.items() if v}

    def _feed(self) -> None:
        while True:
            stopping = self._stop.wait(_INTERVAL)
            for event in self._tail.read():
                self._tell(event)
            if self._feeder is not None:
                with _surviving("metrics"):
                    self._feeder.flush()
            if stopping:
                return

    def _tell(self, event: Mapping[str, Any]) -> None:
        if self._watch is not None:
            self._watch(event)
        if self._feeder is not None:
            with _surviving(event["kind"]):
                self._feeder.handle(event)


@contextlib.contextmanager
def _surviving(what: str) -> Iterator[None]:
    """One thing that MLflow does not take must not keep the rest, least of all the run's end, from it."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  # whatever MLflow raises; the journal has the event
        logging.getLogger(__name__).warning("MLflow did not take %s: %s: %s", what, type(error).__name__, error)


def _run_name(facts: RunFacts) -> str:
    return facts.name if facts.version is None else f"{facts.name}@{facts.version}"


def _user() -> str:
    """Who runs this, as MLflow's own runs say; empty where the system does not know."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""
