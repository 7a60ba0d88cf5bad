"""How MLflow's server is called for a project: its light form, on the loopback address."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from p2p.errors import InputRefused
from p2p.settings import Settings
from p2p.tracking import guard

HOST = "127.0.0.1"
_TO_END = 3.0  # seconds
_WITH_THEIR_OWN = ("databricks", "uc")  # stores that no server of ours could show
_NOT_OURS = ("MLFLOW_STATIC_PREFIX", "MLFLOW_UVICORN_OPTS", "MLFLOW_GUNICORN_OPTS")  # they move or change the pages


def served_elsewhere(settings: Settings) -> str | None:
    """The address of the tracking server that the project uses, without user and password; None where it uses none.

    Raises:
        InputRefused: the project's store has a UI of its own, whose address nobody tells.
    """
    parts = urlsplit(settings.tracking_uri)
    if parts.scheme.lower() in ("http", "https"):
        return urlunsplit((parts.scheme.lower(), parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))
    if settings.tracking_uri.lower().startswith(_WITH_THEIR_OWN):
        raise InputRefused(
            "The tracking store of this project is shown by Databricks, not by a server of this project.",
            cure="Open your workspace in the browser.",
        )
    return None


def command(settings: Settings, port: int) -> list[str]:
    """MLflow's server on this project's store. The store's URI, which may have a password in it, is not among it."""
    return [
        sys.executable, "-m", "mlflow", "server", "--artifacts-destination", str(settings.artifacts),
        "--serve-artifacts", "--workers", "1", "--host", HOST, "--port", str(port),
    ]  # fmt: skip


def environment(settings: Settings) -> Mapping[str, str]:
    """The environment of that server."""
    kept = {name: value for name, value in guard.outside().items() if name not in _NOT_OURS}
    return {**kept, "MLFLOW_BACKEND_STORE_URI": settings.tracking_uri, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def end(server: subprocess.Popen[Any]) -> None:
    """End a server and its workers, which are a session of their own: they do not end with it by themselves."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, number)
        limit = time.monotonic() + _TO_END
        while server.poll() is None and time.monotonic() < limit:
            time.sleep(0.02)


def free_port(asked: int | None = None) -> int:
    """The port that was asked for, or any, on which nobody listens now.

    Raises:
        InputRefused: somebody listens on the one that was asked for, or it is none.
    """
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as the server does: one that has ended is no hindrance
        try:
            probe.bind((HOST, asked or 0))
        except (OSError, OverflowError) as error:
            raise InputRefused(
                f"MLflow's UI cannot be served on port {asked}: {getattr(error, 'strerror', None) or error}.",
                cure="Name another port, or none.",
            ) from None
        return int(probe.getsockname()[1])
