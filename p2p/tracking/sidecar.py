"""The driver of an interactive notebook's runs: a process beside the kernel.

It is beside the kernel so that a kernel that is killed does not leave its run RUNNING, and so that the kernel need not
import MLflow. It reads one JSON command a line (`open`, `end`) and answers `open` with the run's ids. When the kernel
goes away without a word, its run is KILLED.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from p2p.model import RunStatus
from p2p.settings import Settings
from p2p.tracking import mlstore
from p2p.tracking.driver import Driver, RunFacts


def main() -> None:
    """Serve one kernel until its pipe closes."""
    driver: Driver | None = None
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "warm":
            mlstore.connect(_settings(command["settings"]))
        elif command["do"] == "open":
            driver = _open(command)
        elif command["do"] == "end" and driver is not None:
            driver.end(RunStatus(command["status"]), **command.get("facts", {}))
            driver = None
            _answer({"ended": True})
    if driver is not None:
        driver.end(RunStatus.KILLED, error="the kernel went away")


def _open(command: dict[str, Any]) -> Driver | None:
    driver = Driver(_settings(command["settings"]), RunFacts(**command["facts"]), directory=Path(command["directory"]))
    try:
        driver.open()
    except Exception as error:  # noqa: BLE001  # whatever MLflow raises is told to the kernel, which goes on untracked
        _answer({"error": f"{type(error).__name__}: {error}"})
        return None
    _answer({"run_id": driver.run_id, "experiment": driver.experiment})
    return driver


def _settings(data: dict[str, Any]) -> Settings:
    return Settings(root=Path(data["root"]), tracking_uri=data["tracking_uri"], experiment=data["experiment"])


def _answer(data: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(data) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
