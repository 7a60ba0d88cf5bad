"""Tracking servers that fail in every way there is: down, hanging, answering 500 or 401, dying in the middle.

A real MLflow server is put behind a small proxy that misbehaves on command, so that what does arrive is really stored.
"""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Misbehaving:
    """A proxy before a tracking server.

    Attributes:
        mood: `well`, `hang`, `500`, `401`, `slow` or `down` (the connection is cut).
        after: how many further requests it answers well before `mood` counts; counts down.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self.mood = "well"
        self.after = 0
        self.asked = 0
        self._target = target
        self._release = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
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
        if self.after > 0:
            self.after -= 1
            return "well"
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
                self.pass_on(body) if mood in ("well", "slow") else self.reply(int(mood), b"no")

            def pass_on(self, body: bytes) -> None:
                there = http.client.HTTPConnection(*proxy._target, timeout=60)
                kept = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
                there.request(self.command, self.path, body, kept)
                answer = there.getresponse()
                self.reply(answer.status, answer.read(), answer.getheader("Content-Type") or "text/plain")
                there.close()

            def reply(self, status: int, body: bytes, kind: str = "text/plain") -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
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
