"""The status page over HTTP, on the loopback address: `/` for people, `/health` and `/metrics` for programs. Read only.

A browser may be led here by a page of anybody: so whoever asks must have meant this address (DNS rebinding), and the
page runs no script, loads nothing, and stands in no frame.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from p2p.errors import InputRefused, P2PError
from p2p.scheduling.metrics import CONTENT_TYPE, metrics_of
from p2p.scheduling.page import STYLE_SOURCE, Links, page_of
from p2p.scheduling.status import Status

HOST: Final = "127.0.0.1"
_NAMES: Final = (HOST, "localhost")
_PATIENCE: Final = 10.0  # seconds for a request to come in
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": f"default-src 'none'; style-src {STYLE_SOURCE}; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
}  # fmt: skip


@dataclass(frozen=True)
class Vitals:
    """Whether whoever serves the page is well.

    Attributes:
        problem: what is wrong; empty for nothing.
        turn: when this scheduler took its last turn; None where this process is none.
    """

    problem: str = ""
    turn: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the pages come from.

    Attributes:
        status: gives how things stand, with or without past runs.
        vitals: gives whether all is well.
        links: where runs are to be seen.
    """

    status: Callable[[bool], Status]
    vitals: Callable[[Status], Vitals]
    links: Links


@contextlib.contextmanager
def served(source: Source, port: int) -> Iterator[str]:
    """In the block, the page is served on this port, on a free one for 0; gives its address.

    Raises:
        InputRefused: the port cannot be had.
    """
    try:
        server = _Server((HOST, port), source)
    except (OSError, OverflowError) as error:
        raise InputRefused(
            f"The status page cannot be served on port {port}: {getattr(error, 'strerror', None) or error}.",
            cure="Name another port with --port, or say --no-page.",
        ) from None
    thread = threading.Thread(target=server.serve_forever, name="p2p-page", daemon=True, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a browser that keeps its connection does not keep the scheduler

    def __init__(self, address: tuple[str, int], source: Source) -> None:
        super().__init__(address, _Handler)
        self.source = source

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asks and goes away is nothing to tell of."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "p2p"
    sys_version = ""
    timeout = _PATIENCE

    def do_GET(self) -> None:
        if not self._meant():
            self._answer(
                HTTPStatus.MISDIRECTED_REQUEST, "text/plain; charset=utf-8", b"This address is not served here.\n"
            )
            return
        try:
            status, kind, body = self._page(*self.path.partition("?")[::2])
        except P2PError as error:
            status, kind, body = HTTPStatus.SERVICE_UNAVAILABLE, "text/plain; charset=utf-8", f"{error}\n".encode()
        self._answer(status, kind, body)

    do_HEAD = do_GET  # noqa: N815  # so the standard library calls it

    def _page(self, path: str, query: str) -> tuple[HTTPStatus, str, bytes]:
        source = self.server.source
        if path == "/":
            status = source.status(True)
            page = page_of(status, source.vitals(status).problem, source.links, still=query == "still")
            return HTTPStatus.OK, "text/html; charset=utf-8", page.encode("utf-8", "backslashreplace")
        if path == "/health":
            return self._health()
        if path == "/metrics":
            status = source.status(False)
            turn = source.vitals(status).turn
            age = (status.at - turn).total_seconds() if turn is not None else None
            return HTTPStatus.OK, CONTENT_TYPE, metrics_of(status, age)
        return HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"There are /, /health and /metrics.\n"

    def _health(self) -> tuple[HTTPStatus, str, bytes]:
        try:
            status = self.server.source.status(False)
            vitals = self.server.source.vitals(status)
        except P2PError as error:
            vitals = Vitals(str(error))
        facts = {
            "ok": not vitals.problem, "reason": vitals.problem or None,
            "last_turn": vitals.turn.isoformat() if vitals.turn is not None else None,
        }  # fmt: skip
        code = HTTPStatus.SERVICE_UNAVAILABLE if vitals.problem else HTTPStatus.OK
        return code, "application/json", f"{json.dumps(facts)}\n".encode()

    def _meant(self) -> bool:
        """Whether whoever asks has named this server by one of its own names."""
        name, _, port = (self.headers.get("Host") or "").lower().rpartition(":")
        return name in _NAMES and port == str(self.server.server_port)

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """No line for each request."""
