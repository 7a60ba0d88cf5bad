"""A run whose id in MLflow is not known yet: code that does not ask for it does not wait for it.

MLflow takes seconds to import and to make a run. The sidecar does that while the notebook is at work; the journal tells
when it is done, or that the store takes nothing at present.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from pathlib import Path

from p2p.tracking.journal import NAME, Tail
from p2p.tracking.ownrun import OwnRun

_MAY_TAKE = 90.0  # seconds, on a busy machine, and where nobody says why there is no id
_LOOK = 0.02


class LaterRun:
    """Gives the run when its id is there.

    Args:
        directory: the run's directory.
        made: makes it from MLflow's ids of the run and its experiment.
    """

    def __init__(self, directory: Path, made: Callable[[str, str], OwnRun]) -> None:
        self._tail = Tail(directory / NAME)
        self._made = made
        self._limit = time.monotonic() + _MAY_TAKE

    def run(self, *, wait: bool) -> OwnRun | None:
        """The run; under an id of its own where the store gives none. None when that is open and is not waited for."""
        while True:
            for event in self._tail.read():
                if event["kind"] == "mlflow_run":
                    return self._made(event["run_id"], event["experiment"])
                if event["kind"] == "mlflow_late":
                    return self._made(uuid.uuid4().hex, "")
            if not wait:
                return None
            if time.monotonic() > self._limit:
                return self._made(uuid.uuid4().hex, "")
            time.sleep(_LOOK)
