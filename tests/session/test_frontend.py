"""Which notebook a kernel runs, as each front end tells."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import ipykernel.connect
import jupyter_core.paths
import pytest

from p2p.session.frontend import _asked, notebook_file


def test_vs_code_names_it_to_the_namespace_and_jupyterlab_in_the_environment(tmp_path: Path) -> None:
    path = str(tmp_path / "a.ipynb")
    assert notebook_file({"__vsc_ipynb_file__": path}, {}) == Path(path)
    assert notebook_file({}, {"JPY_SESSION_NAME": path}) == Path(path)
    for names in ({}, {"__vsc_ipynb_file__": 3}, {"__vsc_ipynb_file__": ""}):
        assert notebook_file(names, {}) is None


class Sessions(BaseHTTPRequestHandler):
    """Answers as a Jupyter server does that asks for a token."""

    def do_GET(self) -> None:
        known = self.path == "/api/sessions?token=a%26b"
        body = [{"kernel": {"id": "other"}, "path": "no.ipynb"}, {"kernel": {"id": "k-1"}, "path": "in/a.ipynb"}]
        self.send_response(200 if known else 403)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_where_the_classic_notebook_names_a_folder_the_server_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ipykernel.connect, "get_connection_file", lambda: "/somewhere/kernel-k-1.json")
    monkeypatch.setattr(jupyter_core.paths, "jupyter_runtime_dir", lambda: str(tmp_path))
    environment = {"JPY_SESSION_NAME": f"{tmp_path}/", "JPY_PARENT_PID": "7"}
    server = HTTPServer(("127.0.0.1", 0), Sessions)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    facts = {"url": f"http://127.0.0.1:{server.server_port}/", "token": "a&b", "root_dir": str(tmp_path)}
    told = {
        "good": (facts, tmp_path / "in" / "a.ipynb"),
        "no token": ({**facts, "token": ""}, None),
        "not here": ({**facts, "url": "http://example.invalid/"}, None),
    }
    try:
        for found, path in told.values():
            (tmp_path / "jpserver-7.json").write_text(json.dumps(found))
            _asked.cache_clear()
            assert notebook_file({}, environment) == path
    finally:
        server.shutdown()
        server.server_close()
        _asked.cache_clear()
