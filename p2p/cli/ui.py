"""`p2p ui`: MLflow's own UI on this project's store, in its light form, on the loopback address."""

from __future__ import annotations

import subprocess

from p2p.cli import show
from p2p.cli.text import escape
from p2p.mlui import command, environment, free_port, served_elsewhere
from p2p.settings import Settings
from p2p.tracking import mlstore


def serve(settings: Settings, port: int) -> int:
    """Serve until interrupted; where a tracking server does so already, say where."""
    elsewhere = served_elsewhere(settings)
    if elsewhere is not None:
        show.out.print(f"MLflow's UI: {escape(elsewhere)}  (the tracking server that this project uses)")
        return 0
    free_port(port)
    mlstore.connect(settings)  # makes the store when it is not there yet
    settings.artifacts.mkdir(parents=True, exist_ok=True)
    show.err.print(f"MLflow's UI: http://127.0.0.1:{port}  (Ctrl-C ends it)")
    try:
        return subprocess.run(command(settings, port), env=environment(settings), check=False).returncode
    except KeyboardInterrupt:
        return 0
