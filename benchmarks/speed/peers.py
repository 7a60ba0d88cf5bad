"""The peers: which package each is, and an interpreter that has it. What is here already is not installed again."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

from benchmarks.venvs import venv

PACKAGES = {
    "dagster": "dagster",
    "dask": "distributed",
    "hamilton": "apache-hamilton",
    "joblib": "joblib",
    "kedro": "kedro",
    "mlflow": "mlflow",
    "pandas": "pandas",
    "papermill": "papermill",
    "prefect": "prefect",
}
SILENT = {
    "DAGSTER_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "1",
    "HAMILTON_TELEMETRY_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "ERROR",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}
"""Peers log nothing to the screen and call nobody."""


class Peers:
    """Interpreters by peer.

    Args:
        folder: where environments are made, and found again.

    Attributes:
        versions: of the peers that were asked for, by package.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._failures: dict[str, str] = {}
        self.versions: dict[str, str] = {}

    def python(self, peer: str) -> Path:
        """An interpreter that has the peer.

        Raises:
            OSError: it cannot be installed; the message says why.
        """
        package = PACKAGES[peer]
        try:
            self.versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            return self._installed(peer, package)
        return Path(sys.executable)

    def _installed(self, peer: str, package: str) -> Path:
        if peer in self._failures:
            raise OSError(self._failures[peer])
        try:
            made = venv(self._folder / peer, [package])
        except OSError as error:
            self._failures[peer] = str(error)
            raise
        self.versions.update(made.versions)
        return made.program("python")
