"""Tracking servers that fail in every way there is: down, hanging, answering 500 or 401, dying in the middle.

A real MLflow server is put behind a small proxy that misbehaves on command, so that what does arrive is really stored.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Misbehaving:
    """A proxy before a tracking server.

    Attributes:
        mood: `well`, `hang`, `500`, `401`, `slow`, `down` (the connection is cut) or `lost` (done, but not answered).
        after: how many further requests it answers well before `mood` counts; counts down.
        asked: how many requests have come.
        failed_at: when it first misbehaved, on the monotonic clock; None while it has not.
        at_request: called with the number of each request before it is passed on.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self.mood = "well"
        self.after = 0
        self.asked = 0
        self.failed_at: float | None = None
        self.at_request: Callable[[int], None] = lambda _number: None
        self._target = target
        self._release = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # who asked may be dead
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._release.set()
        self._server.shutdown()
        self._server.server_close()

    def _turn(self) -> str:
        self.asked += 1
        self.at_request(self.asked)
        if self.after > 0:
            self.after -= 1
            return "well"
        if self.mood != "well" and self.failed_at is None:
            self.failed_at = time.monotonic()
        return self.mood

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                mood = proxy._turn()
                if mood == "hang":
                    proxy._release.wait(300)
                elif mood == "slow":
                    proxy._release.wait(3)
                if mood in ("hang", "down"):
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                if mood in ("well", "slow", "lost"):
                    self.pass_on(body, answered=mood != "lost")
                else:
                    self.reply(int(mood), b"no")

            def pass_on(self, body: bytes, *, answered: bool) -> None:
                there = http.client.HTTPConnection(*proxy._target, timeout=60)
                kept = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
                there.request(self.command, self.path, body, kept)
                answer = there.getresponse()
                content = answer.read()
                there.close()
                if answered:
                    self.reply(answer.status, content, answer.getheader("Content-Type") or "text/plain")
                else:
                    self.close_connection = True

            def reply(self, status: int, body: bytes, kind: str = "text/plain") -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(OSError):  # who asked may be dead
                    self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815  # the names of http.server

            def log_message(self, *_args: Any) -> None:
                pass

        return Handler


@contextmanager
def misbehaving(target: tuple[str, int]) -> Iterator[Misbehaving]:
    """A proxy before the server at `target`, closed at the end."""
    proxy = Misbehaving(target)
    try:
        yield proxy
    finally:
        proxy.close()


@contextmanager
def real_server(directory: Path, ready_store: Path) -> Iterator[tuple[str, int]]:
    """A real MLflow server on a copy of a ready store; gives its address."""
    shutil.copyfile(ready_store, directory / "mlflow.db")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [
        sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{directory / 'mlflow.db'}",
        "--artifacts-destination", str(directory / "artifacts"), "--serve-artifacts", "--workers", "1",
        "-h", "127.0.0.1", "-p", str(port),
    ]  # fmt: skip
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    process = subprocess.Popen(
        command, cwd=directory, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", process)
        yield "127.0.0.1", port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + 120
    while time.monotonic() < limit and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5):
            return
        time.sleep(0.2)
    raise AssertionError("the MLflow server did not come up")
