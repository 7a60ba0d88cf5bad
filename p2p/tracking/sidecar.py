"""The process beside a run's owner: it feeds MLflow, keeps the lease warm, stops what does not stop, ends the dead.

It is a process of its own so that a store that hangs holds up nobody, that the owner need not import MLflow, and that
an owner that is killed does not leave its run RUNNING. It reads one JSON command a line on stdin (`warm`, `open`,
`look`) and tells on stdout what the owner may want to know (`ready`, `run_id`, `trouble`, `sent`). When the owner goes
away without a word, its runs are KILLED. In a session of its own, it does not hear the owner's Ctrl-C.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from p2p.model import RunStatus
from p2p.settings import Settings
from p2p.tracking import lease, reaper
from p2p.tracking.light import load_light
from p2p.tracking.overdue import Overdue
from p2p.tracking.owner import Life, Owner, life_of
from p2p.tracking.processes import end_kernels
from p2p.tracking.rounds import Rounds

_LOOK = 0.2  # seconds between two looks at the owner
_DYING = 1.0  # seconds
_LINGER = 20.0  # seconds that sending may go on when the owner is gone, since something was sent last
_LINGER_IN_TROUBLE = 5.0


class Sidecar:
    """Serves one owner until it goes away.

    Args:
        owner: whom to watch.
    """

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.settings: Settings | None = None
        self.open: dict[str, Overdue] = {}
        self.rounds = Rounds(tell)
        self.gone = threading.Event()

    def serve(self) -> None:
        """Listen and watch; returns when the owner is gone and its runs are sent, or cannot be."""
        threading.Thread(target=self._listen, daemon=True).start()
        beat = 0.0
        while not self.gone.wait(_LOOK) and life_of(self.owner) is not Life.DEAD:
            beats = time.monotonic() - beat >= lease.BEAT
            beat = time.monotonic() if beats else beat
            for key, overdue in list(self.open.items()):
                self._look_after(key, overdue, beats=beats)
        self._end_what_is_open()
        self._linger()

    def _look_after(self, key: str, overdue: Overdue, *, beats: bool) -> None:
        assert self.settings is not None
        if beats:
            lease.beat(self.settings.lease(key))
        overdue.look()
        if overdue.ended:
            del self.open[key]

    def _listen(self) -> None:
        for line in sys.stdin:
            command = json.loads(line)
            data = command["settings"]
            self.settings = Settings(Path(data["root"]), data["tracking_uri"], data["experiment"])
            if command["do"] == "warm":
                self.rounds.warm(self.settings)
            elif command["do"] == "look":
                self.rounds.look()
            elif command["do"] == "open":
                directory = self.settings.runs / command["key"]
                self.open[command["key"]] = Overdue(directory, command["spare"])
                self.rounds.add(self.settings, directory)
        self.gone.set()

    def _end_what_is_open(self) -> None:
        """The last that was opened first: a sweep ends after its runs."""
        if self.settings is None or not self.open:
            return
        why = self._why_it_went()
        for key, overdue in reversed(list(self.open.items())):
            if life_of(self.owner) is Life.DEAD:
                end_kernels(self.settings.runs / key)
            status = RunStatus.FAILED if overdue.killed else RunStatus.KILLED
            reaper.end(self.settings, key, overdue.killed or why, status)

    def _why_it_went(self) -> str:
        """A pipe closes a moment before its process is seen to be dead."""
        limit = time.monotonic() + _DYING
        while life_of(self.owner) is Life.ALIVE and time.monotonic() < limit:
            time.sleep(0.02)
        return f"{self.owner} {'let go of the run' if life_of(self.owner) is Life.ALIVE else 'died'}"

    def _linger(self) -> None:
        began = time.monotonic()
        while not self.rounds.finished():
            spent = time.monotonic() - max(began, self.rounds.sent_at)
            if spent > _LINGER or (self.rounds.trouble and spent > _LINGER_IN_TROUBLE):
                return
            time.sleep(0.05)


_answers = sys.stdout


def _keep_stdout_for_answers() -> None:
    """Whatever a library prints must not come between the answers."""
    sys.stdout = sys.stderr


def tell(**message: Any) -> None:
    """Say something to the owner, who may be gone."""
    with contextlib.suppress(OSError, ValueError):
        _answers.write(json.dumps(message) + "\n")
        _answers.flush()


def main() -> None:
    """`python -m p2p.tracking.sidecar OWNER`, OWNER being what `Owner.as_dict` gives, as JSON."""
    _keep_stdout_for_answers()
    load_light()
    Sidecar(Owner.from_dict(json.loads(sys.argv[1]))).serve()
    with contextlib.suppress(OSError, ValueError):
        _answers.flush()
    os._exit(0)  # a thread may hang in a call to a store that does not answer


if __name__ == "__main__":
    main()
