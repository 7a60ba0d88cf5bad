"""Makes MLflow's store of the project in the working directory, as its first run would."""

from __future__ import annotations

from pathlib import Path

from p2p.settings import load_settings
from p2p.tracking import mlstore

if __name__ == "__main__":
    mlstore.create(load_settings(Path.cwd()))
