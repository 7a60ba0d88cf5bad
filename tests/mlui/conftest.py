"""A stand-in for MLflow's server that answers at once, or fails in the way that it is told to; the real one takes 10 s.

The real one is tried in `tests/browser/test_panel.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from p2p.mlui import owned

_SERVER = """
import json, os, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

mood = {mood!r}
if mood == "fails":
    print("one\\n\\nNo module named 'flask' </pre><b>", flush=True)
    sys.exit(1)
if mood == "silent":
    sys.exit(3)
print(os.environ["MLFLOW_BACKEND_STORE_URI"], flush=True)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        asked = urlsplit(self.path)
        given = {{name: values[0] for name, values in parse_qs(asked.query).items()}}
        if asked.path.endswith("experiments/get-by-name") and given["experiment_name"] == "flights":
            answer = {{"experiment": {{"experiment_id": "7"}}}}
        elif asked.path.endswith("runs/get") and given["run_id"] == "known":
            answer = {{"run": {{"info": {{"experiment_id": "8"}}}}}}
        elif asked.path.endswith("runs/get") and given["run_id"] == "hidden":
            return self.send_error(401)
        elif asked.path == "/health":
            answer = "OK"
        else:
            return self.send_error(404)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_):
        pass


port = int(sys.argv[sys.argv.index("--port") + 1])
HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Puts it in MLflow's place, in the processes that this one starts; what they serve is ended with the test."""
    folder = tmp_path / "stand-in"
    (folder / "mlflow").mkdir(parents=True)
    (folder / "mlflow" / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", f"{folder}:{Path(owned.__file__).resolve().parents[2]}")

    def put(mood: str = "well") -> None:
        (folder / "mlflow" / "__main__.py").write_text(_SERVER.format(mood=mood))

    put()
    monkeypatch.setattr(owned, "_served", {})
    yield put
    for served in owned._served.values():
        served.end()
