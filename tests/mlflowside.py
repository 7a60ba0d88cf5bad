"""What MLflow knows of a run, for tests: it is told in the background, so some of it comes a moment later."""

from __future__ import annotations

import time
from typing import Any

import pytest

from p2p.settings import Settings


def run_of(settings: Settings, run_id: str) -> Any:
    """The run as MLflow has it now."""
    from p2p.tracking import mlstore

    return mlstore.connect(settings).get_run(run_id)


def ended(settings: Settings, run_id: str) -> Any:
    """The run, once it is no longer RUNNING."""
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        run = run_of(settings, run_id)
        if run.info.status != "RUNNING":
            return run
        time.sleep(0.2)
    pytest.fail("the run is still RUNNING")
