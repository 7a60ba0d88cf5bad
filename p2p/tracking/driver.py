"""A run's driver: the one who opens it and alone ends it. The journal comes first; MLflow is told by a sidecar."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from p2p.model import RunStatus
from p2p.settings import Settings
from p2p.tracking import lease, mlstore, moment
from p2p.tracking.beside import Beside
from p2p.tracking.facts import Surroundings
from p2p.tracking.journal import FORMAT, NAME, Journal, Tail, first_end, new_key
from p2p.tracking.lease import RunReplaced
from p2p.tracking.ownrun import OwnRun

_INTERVAL = 0.1
_INTERRUPTED = 0.3  # seconds that an interrupted run waits for MLflow: the sidecar goes on by itself
Watcher = Callable[[Mapping[str, Any]], None]


def warn(text: str) -> None:
    """Tell whoever reads the log; the command line and notebooks show it."""
    logging.getLogger("p2p").warning(text)


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """What is known of a run when it opens.

    Attributes:
        name: the notebook's or pipeline's name; also the experiment, unless the settings name another.
        run_kind: `notebook`, `interactive`, `module`, `script` or `sweep`.
        source: path of the notebook or module, relative to the project where it lies inside.
        params: all parameters as plain data, secrets masked.
        resumed_from: key of the run that this one goes on with.
        first_run: key of the first of the runs that go on with each other.
        overridden: names of the parameters that were given from outside.
        parent: key of the run that this one is a part of.
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
    resumed_from: str = ""
    first_run: str = ""
    overridden: Sequence[str] = ()
    parent: str = ""


@dataclass(frozen=True, kw_only=True)
class PartOf:
    """The whole that a run is a part of.

    Attributes:
        whole: key of that run, which this one belongs to.
        beside: its sidecar, which feeds its parts too.
        around: the surroundings of all its parts.
        key: the key that this run is to have.
        point: its number among the parts.
        side_by_side: other parts run at the same time.
    """

    whole: str
    beside: Beside
    around: Surroundings
    key: str
    point: int
    side_by_side: bool


class Driver:
    """Opens a run and ends it. A sidecar tells MLflow what the journal says, and a thread tells a watcher.

    A run that is a part of another one does not wait for MLflow at its end: that one waits for all of them.

    Args:
        settings: the project's.
        facts: what the run is.
        watch: called with each event, and with how far steps are (`step_progress`), in a thread.
        beside: the sidecar to use; one of its own, which ends with the run, when not given.
        mask: takes secrets out of what is written down.
        part_of: the whole that the run is a part of; it is nobody's part when not given.
        later: takes the waiting for MLflow, when the run has come to its end; that waits itself, when not given. A run
            that MLflow does not know yet, and one that is killed, are not waited for later.

    Attributes:
        key: the name of the run's directory.
        run_id: MLflow's id; one of our own while the store gives none, so that user code has one to speak of.
        experiment: MLflow's id of the experiment; empty while the store gives none.
    """

    def __init__(
        self,
        settings: Settings,
        facts: RunFacts,
        *,
        watch: Watcher | None = None,
        beside: Beside | None = None,
        mask: Callable[[Any], Any] | None = None,
        part_of: PartOf | None = None,
        later: ExitStack | None = None,
    ) -> None:
        mlstore.check_settings(settings)
        mlstore.check_experiment(facts.name)
        self.settings = settings
        self.facts = facts if part_of is None else _as_part(facts, part_of)
        self.key = new_key() if part_of is None else part_of.key
        self.directory = settings.runs / self.key
        self.run_id = ""
        self.experiment = ""
        self._masking = {"mask": mask} if mask is not None else {}
        self._watch = watch
        self._beside = beside if part_of is None else part_of.beside
        self._mine = self._beside is None
        self._watching: _Watching | None = None
        self._later = later

    def open(self) -> None:
        """Begin the run: its lease, its journal, its sidecar. Does not wait for MLflow."""
        path = self.settings.lease(self.key)
        lease.take_lease(path)
        uri = mlstore.redacted(self.settings.tracking_uri)
        try:
            self.journal = Journal(self.directory, held=lease.held(path), **self._masking)
            self.journal.append("run_opened", format=FORMAT, tracking_uri=uri, **asdict(self.facts))
        except BaseException:
            lease.release(path)
            raise
        if self._beside is None:
            self._beside = Beside(self.settings, warn)
        self._beside.open(self.key, renews=not self.facts.parent)
        if self._watch is not None:
            self._watching = _Watching(self.directory, self._watch)

    def connect(self) -> None:
        """Wait, not for long, until MLflow has made its run; without it, the run goes on under an id of its own."""
        assert self._beside is not None
        self.run_id, self.experiment = self._beside.run_id(self.key)
        self.run_id = self.run_id or uuid.uuid4().hex

    def own_run(self, append: Callable[..., None] | None = None) -> OwnRun:
        """The run, for user code that logs to it; `append` writes to its journal, if not just as it does."""
        uri = self.settings.tracking_uri
        return OwnRun(self.run_id, self.experiment, uri, self.directory, append or self.journal.append)

    def end(self, status: RunStatus, **facts: Any) -> None:
        """End the run, truthfully: `facts` say which step and cell failed, and how.

        Raises:
            RunReplaced: another process has ended it already.
            StoreError: the journal cannot be written; the run will be found dead, and KILLED.
        """
        if self._later is not None and not self.run_id:
            self.connect()  # the answer names MLflow's run
        waits = self._later is None or not self.experiment or status is RunStatus.KILLED
        try:
            by = uuid.uuid4().hex
            self.journal.append("run_finished", status=status.value, by=by, **facts)
            self._see_that_it_counts(by)
            if waits and not self.facts.parent:
                self._wait_for_mlflow(None if status is not RunStatus.KILLED else _INTERRUPTED)
        finally:
            self.journal.close()
            moment.clear(self.directory)
            if self._watching is not None:
                self._watching.stop()
            if self._later is None or waits:
                self._leave()
            else:
                self._later.callback(self._leave)  # what was put there last is done first
                self._later.callback(self._wait_for_mlflow, None)

    def _leave(self) -> None:
        if self._mine and self._beside is not None:
            self._beside.close()

    def _see_that_it_counts(self, by: str) -> None:
        """The first end is the run's end: somebody else's may have come between our look at the lease and the line."""
        if first_end(self.directory).get("by") != by:
            raise RunReplaced(self.key)

    def _wait_for_mlflow(self, within: float | None) -> None:
        assert self._beside is not None
        self._beside.sent(self.key, within=within)


def _as_part(facts: RunFacts, part_of: PartOf) -> RunFacts:
    return replace(facts, parent=part_of.whole, tags={**facts.tags, "p2p.point": str(part_of.point)})


class _Watching:
    """A thread that tells a watcher what the journal says, and then how far the steps are."""

    def __init__(self, directory: Path, watch: Watcher) -> None:
        self._tail = Tail(directory / NAME)
        self._look = moment.Look(directory)
        self._watch = watch
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="p2p-watcher", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            stopping = self._stop.wait(_INTERVAL)
            for event in self._tail.read():
                self._watch(event)
            for event in self._look.read():
                self._watch(event)
            if stopping:
                return
