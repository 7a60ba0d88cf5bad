"""Many processes that start at a fresh project in the same moment.

Each is a fork of one that has imported MLflow, because the import takes longer than everything else together; the
sidecar's thread, which makes the store and feeds it, runs inside it for the same reason.
"""

from __future__ import annotations

import os
import time
from typing import Any

from p2p.model import RunStatus
from p2p.settings import Settings
from p2p.tracking import Driver, RunFacts, mlstore
from p2p.tracking.beside import Beside
from p2p.tracking.rounds import Rounds
from tests.tracking.outages import ended_well, in_fork

_MAY_TAKE = 240.0


class Within(Beside):
    """A sidecar whose thread runs in this process."""

    def _start(self) -> None:
        self._rounds = Rounds(self._hear)
        self._rounds.warm(self._settings)

    def open(self, key: str, *, renews: bool = True) -> None:
        self._unsent[key] = None
        self._rounds.add(self._settings, self._settings.runs / key)

    def _say(self, **_command: object) -> None:
        self._rounds.look()

    def close(self) -> None:
        """Wait until all is sent, as a sidecar does that its owner has left."""
        limit = time.monotonic() + _MAY_TAKE
        while not self._rounds.finished():
            assert time.monotonic() < limit
            time.sleep(0.05)

    def _hear(self, **message: Any) -> None:
        with self._changed:
            self._take(message)
            self._changed.notify_all()

    def _wait(self, _seconds: float, until: Any) -> None:
        with self._changed:
            self._changed.wait_for(until, timeout=_MAY_TAKE)


def one(settings: Settings, facts: RunFacts, at: float) -> None:
    """One run, which begins at the time `at`."""
    time.sleep(max(0.0, at - time.time()))
    beside = Within(settings, lambda _text: None)
    driver = Driver(settings, facts, beside=beside)
    driver.open()
    driver.connect()
    driver.journal.append("logged", metrics=[{"key": "one", "value": 1.0, "timestamp": 1, "step": 0}])
    driver.end(RunStatus.FINISHED)
    beside.close()


def crowd(settings: Settings, facts: RunFacts, size: int) -> list[str]:
    """Let `size` processes run at once; what went wrong, a line each."""
    import mlflow.store.tracking.sqlalchemy_store  # noqa: F401  # so that no fork has to import it

    at = time.time() + 0.5
    children = [in_fork(lambda: one(settings, facts, at)) for _ in range(size)]
    failed = sum(not ended_well(child) for child in children)
    return [*([f"{failed} processes failed"] if failed else []), *_wrong(settings, facts, size)]


def _wrong(settings: Settings, facts: RunFacts, size: int) -> list[str]:
    """What MLflow has that it should not have, or lacks; asked in a fork, which opens the store anew."""
    reading, writing = os.pipe()

    def look() -> None:
        client = mlstore.connect(settings)
        names = [found.name for found in client.search_experiments()]
        runs = client.search_runs([mlstore.experiment_id(client, settings, facts.name)])
        complete = [r for r in runs if r.info.status == "FINISHED" and r.data.metrics == {"one": 1.0}]
        found = (sorted(names), len(runs), len(complete))
        os.write(writing, b"" if found == (["Default", facts.name], size, size) else repr(found).encode())

    well = ended_well(in_fork(look))
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    return [*([] if well else ["the store cannot be read"]), *([text] if text else [])]
