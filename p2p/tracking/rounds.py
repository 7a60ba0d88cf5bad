"""The thread of a sidecar that feeds MLflow: in rounds, the owner's runs first, then what others left unsent."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from p2p.errors import StoreError
from p2p.settings import Settings
from p2p.tracking import mlstore, reaper
from p2p.tracking.journal import Journal
from p2p.tracking.light import to_stay
from p2p.tracking.passing import Unreachable, passes, reason
from p2p.tracking.sending import Sender, sending

_INTERVAL = 0.25
_WAITS = (0.5, 1.0, 2.0, 4.0)  # seconds before the next try, while the store takes nothing
_OTHERS_EVERY = 10.0  # seconds between two looks for what others left unsent, when there was nothing
_WARN_AFTER = 3.5  # seconds that sending one run may take before the owner is told
_MOST = 128  # runs that are sent at a time: each has a file open, and a sweep that runs ahead of them is to wait

_log = logging.getLogger(__name__)


class Tell(Protocol):
    """Says something to the owner."""

    def __call__(self, **message: object) -> None: ...


class Rounds:
    """Feeds MLflow from the journals of runs.

    Args:
        tell: is told `ready`, `run_id` and `experiment` of a run, `trouble` and its end, and `sent`.

    Attributes:
        trouble: why the store takes nothing at present; empty when it does.
        sent_at: when the last run was sent whole, by the monotonic clock.
    """

    def __init__(self, tell: Tell) -> None:
        self.trouble = ""
        self.sent_at = 0.0
        self._tell = tell
        self._settings: Settings | None = None
        self._new: list[Path] = []
        self._senders: dict[Sender, ExitStack] = {}
        self._failures = 0
        self._busy_since: float | None = None
        self._swept: set[str] = set()
        self._rested = False
        self._looked = -_OTHERS_EVERY
        self._wake = threading.Event()

    def warm(self, settings: Settings) -> None:
        """Start the thread, which imports MLflow and makes the store."""
        if self._settings is None:
            self._settings = settings
            threading.Thread(target=self._run, name="p2p-rounds", daemon=True).start()
            threading.Thread(target=self._watch_over, name="p2p-slow", daemon=True).start()

    def add(self, settings: Settings, directory: Path) -> None:
        """Feed the run in `directory` from now on."""
        self._new.append(directory)
        if self.trouble:
            self._tell_those_who_wait(self.trouble)
        self.warm(settings)
        self._settings = settings
        self._wake.set()

    def look(self) -> None:
        """There is something new in a journal; without this word it is found at the next look."""
        self._wake.set()

    def finished(self) -> bool:
        """Whether all that was added is sent, and all that others left unsent has been tried."""
        return not self._new and not self._senders and self._busy_since is None and self._rested

    def _run(self) -> None:
        self._make_ready()
        self._tell(ready=True)  # what takes longer from now on, the store takes
        while True:
            self._wake.wait(self._pause())
            self._wake.clear()
            self._busy_since = time.monotonic()
            try:
                self._round()
            finally:
                self._busy_since = None

    def _pause(self) -> float:
        return _WAITS[min(self._failures, len(_WAITS)) - 1] if self._failures else _INTERVAL

    def _make_ready(self) -> None:
        assert self._settings is not None
        with to_stay(), contextlib.suppress(Exception):  # told of when a run is to be sent
            mlstore.warm(self._settings)

    def _round(self) -> None:
        assert self._settings is not None
        try:
            self._take_up()
            for sender in sorted(self._senders, key=lambda one: bool(one.sent.run_id)):  # some wait for their run's id
                self._one(sender)
                self._take_up()
            self._failures = 0
            self._say_trouble("")
            self._others()
        except Exception as error:  # noqa: BLE001  # this thread must go on, whatever is wrong with one run
            self._failures += 1
            self._say_trouble(str(error))

    def _take_up(self) -> None:
        """Begin with what was added, ahead of what goes on: its owner waits for the MLflow run to be made."""
        assert self._settings is not None
        while self._new and len(self._senders) < _MOST:
            with ExitStack() as stack:
                sender = stack.enter_context(sending(self._settings, self._new[0], own=True))
                if sender is not None:
                    self._senders[sender] = stack.pop_all()
            self._new.pop(0)
            if sender is not None:
                self._one(sender)

    def _one(self, sender: Sender) -> None:
        self._busy_since = time.monotonic()
        try:
            self._begin(sender)
            done = sender.round()
        except Unreachable:
            raise
        except Exception as error:
            if passes(error):
                raise Unreachable(reason(error)) from error
            _log.exception("run %s could not be sent", sender.directory.name)
            self._say_trouble(f"{type(error).__name__}: {reason(error)}")
            done = True  # a defect: sending it again would end the same way; the next process tries anew
        if done:
            self._senders.pop(sender).close()
            self.sent_at = time.monotonic()
            self._tell(sent=sender.directory.name, refused=list(sender.sent.refused))

    def _begin(self, sender: Sender) -> None:
        """Have the run made, and tell its id at once: its owner may wait for that, and a long journal takes time."""
        if sender.begin():
            self._tell(run_id=sender.sent.run_id, experiment=sender.sent.experiment, key=sender.directory.name)

    def _others(self) -> None:
        """Send one run that another process left unsent, if there is one."""
        assert self._settings is not None
        if self._rested and time.monotonic() - self._looked < _OTHERS_EVERY:
            return
        self._looked = self._busy_since = time.monotonic()
        busy = {sender.directory.name for sender in self._senders} | {directory.name for directory in self._new}
        key = reaper.next_unsent(self._settings, {*self._swept, *busy})
        self._rested = not key
        if key:
            self._swept.add(key)
            self._wake.set()
            reaper.send(self._settings, key)

    def _watch_over(self) -> None:
        """Tell of a store that does not come back from a call; the thread above is in that call and cannot."""
        while True:
            time.sleep(_INTERVAL)
            since = self._busy_since
            if since is not None and time.monotonic() - since > _WARN_AFTER and not self.trouble:
                self._say_trouble(f"it has not answered for {_WARN_AFTER:g} s")

    def _say_trouble(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._tell(trouble=trouble)
            if trouble:
                self._tell_those_who_wait(trouble)

    def _tell_those_who_wait(self, trouble: str) -> None:
        """Let kernels go on that wait for the id of their run."""
        made = [sender.directory for sender in self._senders if not sender.sent.run_id]
        for directory in dict.fromkeys([*self._new, *made]):
            with contextlib.suppress(StoreError):
                journal = Journal(directory)
                journal.append("mlflow_late", why=trouble)
                journal.close()
