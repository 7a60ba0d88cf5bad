"""Where a project keeps things: one frozen object, made once from the directory and the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from p2p.quantities import bytes_in

VALUES_LIMIT = 20 * 10**9
OUTPUT_LIMIT = 10 * 10**6
_PROJECT_MARKS = ("pyproject.toml", "mlruns", "notebooks", ".git")


@dataclass(frozen=True, slots=True)
class Settings:
    """The places and names that a project uses.

    Attributes:
        root: the project's directory; `P2P_ROOT`, else the nearest parent that looks like a project.
        tracking_uri: MLflow's store; `MLFLOW_TRACKING_URI`, else `sqlite:///<root>/mlruns/mlflow.db`.
        experiment: name given by `MLFLOW_EXPERIMENT_NAME`; None means the notebook's or pipeline's own name.
        values_limit: bytes that stored values may take before those of old runs are removed; `P2P_STORE_LIMIT`, such
            as `20GB` (the default) or `none`.
        output_limit: bytes of output that an executed notebook keeps of a cell, and ten times as many of all its cells;
            `P2P_OUTPUT_LIMIT`, such as `10MB` (the default).
    """

    root: Path
    tracking_uri: str
    experiment: str | None = None
    values_limit: int | None = VALUES_LIMIT
    output_limit: int = OUTPUT_LIMIT

    @property
    def mlruns(self) -> Path:
        """All run state: one folder to back up."""
        return self.root / "mlruns"

    @property
    def artifacts(self) -> Path:
        return self.mlruns / "artifacts"

    @property
    def values(self) -> Path:
        return self.mlruns / "p2p" / "values"

    @property
    def runs(self) -> Path:
        return self.mlruns / "p2p" / "runs"

    @property
    def index(self) -> Path:
        """What is known of past runs, without their journals."""
        return self.mlruns / "p2p" / "index"

    @property
    def cache(self) -> Path:
        """Results of steps, for equal steps."""
        return self.mlruns / "p2p" / "cache"

    @property
    def open_runs(self) -> Path:
        """The leases of runs that are not ended, or not yet known to MLflow."""
        return self.mlruns / "p2p" / "open"

    @property
    def schedules(self) -> Path:
        """The ledger of schedules: what is to run when, and what became of it."""
        return self.mlruns / "p2p" / "schedules.db"

    def lease(self, key: str) -> Path:
        """Where the lease of a run lies."""
        return self.open_runs / f"{key}.json"

    @property
    def pipelines(self) -> Path:
        return self.root / "pipelines"


def load_settings(start: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of the project around `start` (the working directory when not given)."""
    env = os.environ if environ is None else environ
    root = Path(env["P2P_ROOT"]).resolve() if env.get("P2P_ROOT") else find_root((start or Path.cwd()).resolve())
    uri = env.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(root / 'mlruns' / 'mlflow.db').as_posix()}"
    return Settings(
        root=root, tracking_uri=uri, experiment=env.get("MLFLOW_EXPERIMENT_NAME") or None,
        values_limit=_limit(env.get("P2P_STORE_LIMIT") or ""),
        output_limit=bytes_in(env.get("P2P_OUTPUT_LIMIT") or str(OUTPUT_LIMIT), "P2P_OUTPUT_LIMIT"),
    )  # fmt: skip


def _limit(text: str) -> int | None:
    if not text:
        return VALUES_LIMIT
    return None if text.strip().lower() == "none" else bytes_in(text, "P2P_STORE_LIMIT")


def find_root(start: Path) -> Path:
    """The nearest directory from `start` upwards that looks like a project; `start` itself when none does."""
    directory = start if start.is_dir() else start.parent
    for candidate in (directory, *directory.parents):
        if any((candidate / mark).exists() for mark in _PROJECT_MARKS):
            return candidate
    return directory
