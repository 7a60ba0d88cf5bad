"""The run that a kernel writes to: its own (interactive), or one that papermill's driver opened (attached)."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from p2p.cache import Earlier, Entries, KeptInputs, RunMemory, Turns
from p2p.execution import EventSink, Services, by_step
from p2p.model import RunStatus
from p2p.secrets import Masker, environment_secrets
from p2p.session.attached import Attachment
from p2p.settings import Settings
from p2p.store import DiskStore
from p2p.tracking import Driver, Journal, RunFacts, guard
from p2p.tracking.beside import Beside
from p2p.tracking.lease import held
from p2p.tracking.moment import Moments
from p2p.tracking.owner import this_process
from p2p.tracking.ownrun import OwnRun


class Session(Protocol):
    """What a kernel needs of its run."""

    needed: frozenset[str]

    @property
    def run_id(self) -> str:
        """MLflow's id of the open run; empty where none is open."""
        ...

    def services(self) -> Services:
        """The services of the open run; opens one when none is."""
        ...

    def end(self) -> None:
        """End the run, when it is this process's to end."""
        ...


class AttachedSession:
    """Writes to a run that another process drives and ends.

    Args:
        attachment: what the driver says of the run.
        needed: the names that any cell of the notebook reads.
        masker: takes secrets out of what is written down.
        started: how this kernel was started.
        listen: told each event of a step, after the journal.
    """

    def __init__(
        self, attachment: Attachment, needed: frozenset[str] = frozenset(), masker: Masker | None = None,
        started: Mapping[str, Any] | None = None, listen: Callable[..., None] | None = None,
    ) -> None:  # fmt: skip
        masker = masker or Masker()
        self.attachment = attachment
        self.needed = needed
        directory = Path(attachment.directory)
        values = DiskStore(Path(attachment.root) / "mlruns" / "p2p" / "values", inline=masker.leaves)
        self.journal = journal = Journal(directory, held=held(Path(attachment.lease)), mask=masker.event)
        journal.append("kernel_started", process=this_process().as_dict(), **{"warm": False, **(started or {})})
        self.memory = RunMemory(
            values, journal, directory,
            earlier=Earlier(Path(attachment.resumes)) if attachment.resumes else None,
            entries=Entries(values.root.parent / "cache", mask=masker.references) if attachment.cache else None,
            turns=Turns(values.root.parent / "turns") if attachment.turns else None,
        )  # fmt: skip
        self._services = Services(
            events=_Watched(journal, {}, listen), values=values, memory=self.memory, directory=directory,
            keep_figures=True, run=attachment.first_run or directory.name,
            moments=Moments(directory, mask=masker.event, listen=listen),
        )  # fmt: skip
        self._attach(by_step(journal.append))

    def _attach(self, append: Callable[..., None]) -> None:
        at = self.attachment
        guard.attach(OwnRun(at.run_id, at.experiment, at.tracking_uri, Path(at.directory), append))

    @property
    def run_id(self) -> str:
        """MLflow's id of the run."""
        return guard.run_id()

    def services(self) -> Services:
        return self._services

    def end(self) -> None:
        """Leave the run as it is: its driver ends it."""
        guard.detach()


class InteractiveSession:
    """Opens a run of its own at the first step.

    Args:
        settings: the project's.
        name: gives the name of the run when it opens (the notebook's).
        warn: told when MLflow cannot be reached.
        listen: told each event, after the journal.
    """

    def __init__(
        self, settings: Settings, name: Callable[[], tuple[str, str]], warn: Callable[[str], None],
        listen: Callable[..., None] | None = None,
    ) -> None:  # fmt: skip
        self.settings = settings
        self.needed: frozenset[str] = frozenset()
        self.run_id = ""
        self._name = name
        self._warn = warn
        self._listen = listen
        self._services: Services | None = None
        self._beside: Beside | None = None
        self._driver: Driver | None = None
        self._states: dict[str, str] = {}

    def warm(self) -> None:
        """Start the sidecar ahead of the first step."""
        if self._beside is None:
            self._beside = Beside(self.settings, self._warn, spare=True)

    def services(self) -> Services:
        if self._services is None:
            self._open()
        assert self._services is not None
        return self._services

    def end(self) -> None:
        """End the run: FAILED when the last state of a step is failed, else FINISHED."""
        driver, self._driver, self._services = self._driver, None, None
        failed = [step for step, state in self._states.items() if state == "failed"]
        self._states = {}
        self.run_id = ""
        if driver is not None:
            guard.detach()
            status = RunStatus.FAILED if failed else RunStatus.FINISHED
            driver.end(status, **({"failed_step": failed[0]} if failed else {}))

    def close(self) -> None:
        """End the run and let the sidecar go."""
        self.end()
        if self._beside is not None:
            self._beside.close()
            self._beside = None

    def _open(self) -> None:
        self.warm()
        masker = Masker(environment_secrets(os.environ))  # as it is by now: a cell may have loaded a file of secrets
        driver = Driver(self.settings, self._facts(), beside=self._beside, mask=masker.event)
        driver.open()
        driver.connect()
        self._driver = driver
        values = DiskStore(self.settings.values, inline=masker.leaves)
        self._services = Services(
            events=_Watched(driver.journal, self._states, self._listen), values=values, memory=KeptInputs(values),
            directory=driver.directory, keep_figures=True, run=driver.key,
            moments=Moments(mask=masker.event, listen=self._listen),
        )  # fmt: skip
        self.run_id = driver.run_id
        guard.attach(driver.own_run(by_step(driver.journal.append)))

    def _facts(self) -> RunFacts:
        from p2p.tracking.facts import git_commit, package_versions, python_version

        name, source = self._name()
        return RunFacts(
            name=name, run_kind="interactive", source=source, git_commit=git_commit(self.settings.root),
            python=python_version(), packages=package_versions(),
        )  # fmt: skip


class _Watched:
    """A journal that also remembers each step's last state."""

    def __init__(self, journal: EventSink, states: dict[str, str], listen: Callable[..., None] | None) -> None:
        self._journal = journal
        self._states = states
        self._listen = listen

    def append(self, kind: str, **data: Any) -> None:
        if kind == "step_finished" and not data.get("parent"):
            self._states[data["step"]] = data["state"]
        self._journal.append(kind, **data)
        if self._listen is not None:
            self._listen(kind, **data)


def note(text: str) -> None:
    """Tell the person at the kernel, on stderr, as Jupyter shows warnings."""
    sys.stderr.write(f"p2p: {text}\n")
