"""Sending one run to MLflow: from its journal, in rounds, going on where the last round (or process) stopped.

How far it came is written beside the journal (`sent.json`, format 1), after what was read has been sent; so a crash in
between sends a batch twice, which MLflow keeps once, and never leaves one out. One process at a time sends a run.
"""

from __future__ import annotations

import contextlib
import getpass
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from p2p.files import locked, write_atomic
from p2p.settings import Settings
from p2p.tracking import lease, mlstore
from p2p.tracking.feeder import Feeder
from p2p.tracking.journal import NAME, Journal, Tail, read_events
from p2p.tracking.passing import Unreachable, passes, reason
from p2p.tracking.records import opening
from p2p.tracking.traces import send_trace

if TYPE_CHECKING:
    from mlflow import MlflowClient

SENT = "sent.json"


@dataclass(frozen=True, slots=True)
class Sent:
    """How far a run has been sent.

    Attributes:
        run_id, experiment: MLflow's ids; empty while it has no run.
        offset: bytes of the journal that have been sent.
        done: MLflow knows all of it, its end included.
        refused: what MLflow did not take, one line each.
        tried: what was begun that must not be done twice: `run`, `trace`.
    """

    run_id: str = ""
    experiment: str = ""
    offset: int = 0
    done: bool = False
    refused: tuple[str, ...] = field(default=())
    tried: tuple[str, ...] = field(default=())


def read_sent(directory: Path) -> Sent:
    """How far the run in `directory` has been sent; nothing, where that cannot be read."""
    try:
        data = json.loads((directory / SENT).read_text(encoding="utf-8"))
        return Sent(**{**data, "refused": tuple(data["refused"]), "tried": tuple(data.get("tried", ()))})
    except (OSError, ValueError, TypeError, KeyError):
        return Sent()


class Sender:
    """Sends one run; use within `sending`, which keeps other processes from sending it too.

    Args:
        settings: the project's.
        directory: the run's directory.
        own: the run is of this process or its owner, so `sent.json` tells all that was tried; after a power cut it may
            not.
    """

    def __init__(self, settings: Settings, directory: Path, *, own: bool = False) -> None:
        self._own = own
        self.settings = settings
        self.directory = directory
        self.sent = read_sent(directory)
        self._tail = Tail(directory / NAME, self.sent.offset)
        self._client: MlflowClient | None = None
        self._feeder: Feeder | None = None
        self._opened: Mapping[str, Any] | None = None
        self._artifact_uri = ""
        self._events: list[dict[str, Any]] = []
        self._end = _end_within(directory, self.sent.offset)

    def begin(self) -> bool:
        """Make the MLflow run, if there is none yet; gives whether there is one now that was not known before.

        Raises:
            Unreachable: the store takes nothing at present.
        """
        if self.sent.done or self.sent.run_id:
            return False
        with _told():
            return self._connected() is not None

    def round(self) -> bool:
        """Send what is new. Gives True when the run has ended and all of it is sent.

        Raises:
            Unreachable: the store takes nothing at present.
        """
        if self.sent.done:
            lease.release(self.settings.lease(self.directory.name))  # whoever sent it may have died before it did
            return True
        with _told():
            feeder = self._connected()
            if feeder is None:
                return False  # the journal has not begun yet
            for event in self._tail.read():
                if self._end is None:
                    feeder.take(event)
                if event["kind"] == "run_finished" and self._end is None:
                    self._end = event
            if self._end is not None and not self._events:
                self._events = read_events(self.directory)
                feeder.set_tags({"p2p.steps": ", ".join(_steps(self._events)), **_failure_tags(self._end)})
            feeder.send()
            if self._tail.offset != self.sent.offset:
                self._keep(offset=self._tail.offset, refused=tuple(feeder.refused))
            return self._finished(feeder)

    def _connected(self) -> Feeder | None:
        if self._feeder is None:
            self._opened = self._opened or opening(self.directory)
            if self._opened is None:
                return None
            self._client = self._client or mlstore.connect(self.settings)
            if not self.sent.run_id:
                self._create(self._client, self._opened)
            self._feeder = Feeder(self._client, self.sent.run_id, self.directory, self._artifact_uri)
            self._feeder.refused += self.sent.refused
        return self._feeder

    def _create(self, client: MlflowClient, opened: Mapping[str, Any]) -> None:
        """Make the MLflow run, or find the one that an earlier try has made."""
        name = self.settings.experiment or str(opened["name"])
        experiment = mlstore.experiment_id(client, self.settings, name)
        nesting = self._nesting(opened)
        first = self._first("run")
        known = [] if first else self._runs(client, experiment)
        if not known:
            try:
                made = client.create_run(
                    experiment, start_time=opened["at"] // 1_000_000, run_name=run_name(opened),
                    tags={**_tags(opened, self.directory.name), **nesting},
                )  # fmt: skip
            except Exception:
                mlstore.forget_experiment(self.settings, name)  # somebody may have removed it since
                raise
            known = [str(made.info.run_id)] if first else self._runs(client, experiment)
            self._artifact_uri = str(made.info.artifact_uri) if first else ""
        if not known:
            raise Unreachable("the run was made, but is not in the store")
        journal = Journal(self.directory)
        journal.append("mlflow_run", run_id=known[0], experiment=experiment)
        journal.close()
        self._keep(run_id=known[0], experiment=experiment)

    def _nesting(self, opened: Mapping[str, Any]) -> dict[str, str]:
        """The tag by which MLflow shows the run below the one that it is a part of; that one is made first."""
        directory = self.directory.parent / (opened.get("parent") or "none")
        if not opened.get("parent") or not directory.is_dir():
            return {}
        if not read_sent(directory).run_id:
            with sending(self.settings, directory) as parent:
                if parent is None:
                    raise Unreachable("another process is sending the run that this one is a part of")
                parent._connected()
        run_id = read_sent(directory).run_id
        return {"mlflow.parentRunId": run_id} if run_id else {}

    def _first(self, what: str) -> bool:
        """Whether nobody has tried this before, so that there is nothing to be looked for: a search reads all runs.

        A call to a server may arrive, be answered too late, and be made again unseen; a database's own answer counts.
        """
        if not self._own or what in self.sent.tried or mlstore.database_of(self.settings.tracking_uri) is None:
            return False
        self._keep(tried=(*self.sent.tried, what))
        return True

    def _runs(self, client: MlflowClient, experiment: str) -> list[str]:
        """The MLflow runs that were made for this run, the one in use first.

        There are several where a request to make one was answered too late, and made again.
        """
        found = client.search_runs([experiment], f"tags.`p2p.run` = '{self.directory.name}'")
        names = sorted(str(run.info.run_id) for run in found)
        return sorted(names, key=lambda name: name != self.sent.run_id)

    def _remove_surplus(self, client: MlflowClient) -> None:
        for surplus in self._runs(client, self.sent.experiment):
            if surplus != self.sent.run_id:
                client.delete_run(surplus)

    def _finished(self, feeder: Feeder) -> bool:
        if self._end is None:
            return False
        assert self._client is not None
        assert self._opened is not None
        send_trace(
            self._client, self.sent.run_id, self.sent.experiment, run_name(self._opened),
            _tags(self._opened, self.directory.name), self._events, first=self._first("trace"),
        )  # fmt: skip
        self._client.set_terminated(self.sent.run_id, self._end["status"], self._end["at"] // 1_000_000)
        if mlstore.database_of(self.settings.tracking_uri) is None:
            self._remove_surplus(self._client)
        self._keep(done=True, refused=tuple(feeder.refused))
        lease.release(self.settings.lease(self.directory.name))
        return True

    def _keep(self, **changed: Any) -> None:
        self.sent = Sent(**{**asdict(self.sent), **changed})
        write_atomic(self.directory / SENT, json.dumps(asdict(self.sent)) + "\n", sync=False)


def _end_within(directory: Path, offset: int) -> Mapping[str, Any] | None:
    """The run's end, where it lies in what was sent: its sender may have died before it told MLflow of it."""
    tail = Tail(directory / NAME)
    for event in tail.read():
        if tail.offset > offset:
            return None
        if event["kind"] == "run_finished":
            return event
    return None


@contextmanager
def sending(settings: Settings, directory: Path, *, wait: float = 0.0, own: bool = False) -> Iterator[Sender | None]:
    """A sender for the run in `directory`; None when another process is sending it, also after `wait` seconds."""
    with locked(directory / "sending.lock", wait=wait) as mine:
        yield Sender(settings, directory, own=own) if mine else None


@contextmanager
def _told() -> Iterator[None]:
    """Turn what passes by itself into Unreachable."""
    try:
        yield
    except Unreachable:
        raise
    except Exception as error:
        if passes(error):
            raise Unreachable(mlstore.redacted(reason(error))) from error
        raise


def run_name(opened: Mapping[str, Any]) -> str:
    """A run's name in MLflow: `flight_delays`, or `flight_delays@3` for a version of a pipeline."""
    version = opened.get("version")
    return str(opened["name"]) if version is None else f"{opened['name']}@{version}"


def _tags(opened: Mapping[str, Any], key: str) -> dict[str, str]:
    kind = str(opened["run_kind"])
    tags = {
        "mlflow.source.name": opened.get("source") or opened["name"],
        "mlflow.source.type": "NOTEBOOK" if kind in ("notebook", "interactive") else "LOCAL",
        "mlflow.source.git.commit": opened.get("git_commit"),
        "mlflow.user": _user(),
        "p2p.kind": kind,
        "p2p.name": opened["name"],
        "p2p.version": opened.get("version"),
        "p2p.notebook_digest": opened.get("notebook_digest"),
        "p2p.run": key,
        "p2p.resumed_from": opened.get("resumed_from"),
        "p2p.sweep": opened.get("parent"),
        "p2p.python": opened.get("python"),
    }
    return {name: str(value)[:5000] for name, value in {**tags, **opened.get("tags", {})}.items() if value}


def _user() -> str:
    """Who runs this, as MLflow's own runs say; empty where the system does not know."""
    with contextlib.suppress(OSError, KeyError):
        return getpass.getuser()
    return ""


def _steps(events: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(e["step"] for e in events if e["kind"] == "step_started" and not e["parent"]))


def _failure_tags(end: Mapping[str, Any]) -> dict[str, str]:
    names = ("failed_step", "failed_cell", "error")
    return {f"p2p.{name}": str(end[name]) for name in names if end.get(name)}
