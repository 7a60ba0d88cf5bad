"""`p2p ui`: MLflow's own UI on this project's store, in its light form, on the loopback address."""

from __future__ import annotations

import os
import subprocess
import sys

from p2p.cli import show
from p2p.settings import Settings
from p2p.tracking import mlstore


def serve(settings: Settings, port: int) -> int:
    """Serve until interrupted."""
    mlstore.connect(settings)  # makes the store when it is not there yet
    settings.artifacts.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable, "-m", "mlflow", "server", "--backend-store-uri", settings.tracking_uri,
        "--artifacts-destination", str(settings.artifacts), "--serve-artifacts", "--workers", "1",
        "--host", "127.0.0.1", "--port", str(port),
    ]  # fmt: skip
    show.err.print(f"MLflow's UI: http://127.0.0.1:{port}  (Ctrl-C ends it)")
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    try:
        return subprocess.run(command, env=environment, check=False).returncode
    except KeyboardInterrupt:
        return 0
