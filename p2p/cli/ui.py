"""`p2p ui`: MLflow's own UI on this project's store, in its light form, and beside it how schedules stand."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from p2p.cli import show
from p2p.cli.text import escape
from p2p.errors import InputRefused
from p2p.mlui import command, end, environment, free_port, served_elsewhere
from p2p.settings import Settings
from p2p.tracking import mlstore


def serve(settings: Settings, port: int) -> int:
    """Serve until interrupted; where a tracking server shows MLflow's UI already, the page of schedules alone."""
    elsewhere = served_elsewhere(settings)
    try:
        if elsewhere is None:
            return _serve_mlflow(settings, port)
        show.err.print(f"MLflow's UI: {escape(elsewhere)}  (the tracking server that this project uses)")
        with _status_page(settings, elsewhere, port + 1):
            show.err.print("Ctrl-C ends it")
            threading.Event().wait()
    except KeyboardInterrupt:
        pass
    return 0


def _serve_mlflow(settings: Settings, port: int) -> int:
    """MLflow's UI, and the page beside it."""
    free_port(port)
    mlstore.connect(settings)  # makes the store when it is not there yet
    settings.artifacts.mkdir(parents=True, exist_ok=True)
    address = f"http://127.0.0.1:{port}"
    show.err.print(f"MLflow's UI: {address}  (Ctrl-C ends it)")
    with _status_page(settings, address, port + 1):
        server = subprocess.Popen(command(settings, port), env=environment(settings), start_new_session=True)
        try:
            return server.wait()
        finally:
            end(server)


@contextmanager
def _status_page(settings: Settings, mlflow: str, port: int) -> Iterator[None]:
    """In the block, the page of schedules and pipelines is served, on this port or a free one."""
    from p2p.scheduling import watched

    links = watched.links_to(settings, mlflow)
    try:
        serving = watched.page(settings, watched.vitals_from_outside, free_port(port), links)
    except InputRefused:
        serving = watched.page(settings, watched.vitals_from_outside, 0, links)
    with serving as address:
        show.err.print(f"Schedules and pipelines: {address}")
        yield
