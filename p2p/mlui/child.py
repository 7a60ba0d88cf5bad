"""The process beside an owner that keeps MLflow's server: it starts it, says when it answers, and ends it.

`python -m p2p.mlui.child OWNER`, with `{"settings": ..., "port": ...}` as the first line on stdin. It tells one line of
JSON on stdout: `{"kind": "ready"}`, or `{"kind": "ended", "said": ...}` with the last lines of what the server said.
When the owner is gone, also by `kill -9`, its pipe closes, and the server ends with everything that it has started.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import Any

import psutil

from p2p.mlui.places import answers
from p2p.mlui.serving import HOST, command, end, environment
from p2p.settings import Settings
from p2p.tracking import mlstore
from p2p.tracking.owner import Life, Owner, life_of

_LOOK = 0.2  # seconds between two looks
_TO_END = 3.0  # seconds for its last lines
_LINES = 12


def main() -> None:
    """Serve until the owner is gone, or the server."""
    owner = Owner.from_dict(json.loads(sys.argv[1]))
    asked = json.loads(sys.stdin.readline())
    settings = Settings(Path(asked["settings"]["root"]), asked["settings"]["tracking_uri"])
    gone = threading.Event()
    threading.Thread(target=_listen, args=(gone,), daemon=True).start()
    try:
        mlstore.create(settings)
        settings.artifacts.mkdir(parents=True, exist_ok=True)
        said = _serve(settings, int(asked["port"]), owner, gone)
    except Exception as error:  # noqa: BLE001  # whatever it is, the owner has to hear of it
        said = f"{type(error).__name__}: {error}"
    _tell(kind="ended", said=said)
    os._exit(0)  # a thread still reads stdin


def _listen(gone: threading.Event) -> None:
    """The pipe closes when its owner lets go of it, however that happens."""
    with contextlib.suppress(OSError):
        sys.stdin.read()
    gone.set()


def _serve(settings: Settings, port: int, owner: Owner, gone: threading.Event) -> str:
    """Start the server and look after it; gives what it said last."""
    said: deque[str] = deque(maxlen=_LINES)
    server = subprocess.Popen(
        command(settings, port), env=environment(settings), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
    )  # fmt: skip
    reader = threading.Thread(target=_keep, args=(server, said), daemon=True)
    reader.start()
    try:
        ready = False
        while server.poll() is None and not gone.wait(_LOOK) and life_of(owner) is not Life.DEAD:
            if not ready and answers(f"http://{HOST}:{port}") and _listens(server.pid, port):
                ready = True
                _tell(kind="ready")
    finally:
        end(server)
    reader.join(_TO_END)
    return "\n".join(said)


def _keep(server: subprocess.Popen[str], said: deque[str]) -> None:
    assert server.stdout is not None
    for line in server.stdout:
        if line.strip():
            said.append(line.rstrip()[:500])


def _listens(pid: int, port: int) -> bool:
    """Whether it is this server that listens on the port: another one may have been quicker."""
    with contextlib.suppress(psutil.Error):
        server = psutil.Process(pid)
        found = [one for each in (server, *server.children(recursive=True)) for one in each.net_connections("tcp")]
        return any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in found)
    return False


def _tell(**message: Any) -> None:
    with contextlib.suppress(OSError, ValueError):  # the owner may be gone
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
