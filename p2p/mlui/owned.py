"""MLflow's server as this process has it: one for a project, started once, and ended with this process."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time

from p2p.errors import P2PError
from p2p.mlui.places import answers
from p2p.mlui.serving import HOST, free_port, served_elsewhere
from p2p.settings import Settings
from p2p.tracking.owner import this_process

_MAY_TAKE = 120.0  # seconds, on a machine that does other work too
_LOOK = 0.2  # seconds: a wait that is interrupted ends at once
_turn = threading.Lock()
_served: dict[tuple[str, str], Served] = {}


class Served:
    """A server of MLflow's that this process has started.

    Args:
        settings: the project's.
        port: on the loopback address; any when not given.

    Attributes:
        address: where it answers, once it does.
    """

    def __init__(self, settings: Settings, port: int | None = None) -> None:
        port = free_port(port)
        self.address = f"http://{HOST}:{port}"
        self._told: dict[str, str] = {}
        self._heard = threading.Event()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "p2p.mlui.child", json.dumps(this_process().as_dict())], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, errors="replace", start_new_session=True,
        )  # fmt: skip
        asked = {"settings": {"root": str(settings.root), "tracking_uri": settings.tracking_uri}, "port": port}
        threading.Thread(target=self._follow, name="p2p-mlui", daemon=True).start()
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):  # it has ended already, which is told by whoever waits for it
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()

    @property
    def is_at_work(self) -> bool:
        """Whether it serves, or may yet."""
        return self._told.get("kind") != "ended" and self._process.poll() is None

    @property
    def is_ready(self) -> bool:
        """Whether it answers."""
        return self._told.get("kind") == "ready" and self.is_at_work

    def wait(self) -> str:
        """Its address, as soon as it answers there.

        Raises:
            P2PError: it has ended; with what it said last.
        """
        limit = time.monotonic() + _MAY_TAKE
        while not self._heard.wait(_LOOK) and time.monotonic() < limit:
            pass
        if self.is_ready:
            return self.address
        self.end()
        said = self._told.get("said") or ("without a word" if self._heard.is_set() else f"no answer in {_MAY_TAKE:g} s")
        raise P2PError(
            f"MLflow's UI has not started: {said}",
            cure="`p2p ui` in a terminal shows all that it says.", fields={"said": said},
        )  # fmt: skip

    def end(self) -> None:
        """Have it ended."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def _follow(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                with contextlib.suppress(ValueError):
                    self._told = json.loads(line)
                    self._heard.set()
        self._process.wait()
        self.end()
        if self._told.get("kind") != "ended":
            self._told = {"kind": "ended"}
        self._heard.set()


def serve(settings: Settings, port: int | None = None) -> Served:
    """The server of this process for the project; started when there is none, and then not waited for.

    Raises:
        InputRefused: somebody listens on that port.
    """
    with _turn:
        key = (str(settings.root), settings.tracking_uri)
        served = _served.get(key)
        if served is None or not served.is_at_work:
            served = _served[key] = Served(settings, port)
        return served


def address_of(settings: Settings, port: int | None = None) -> str:
    """Where MLflow's UI answers for the project: its tracking server, or one that is started, and waited for.

    Raises:
        P2PError: nobody answers there.
    """
    elsewhere = served_elsewhere(settings)
    if elsewhere is None:
        return serve(settings, port).wait()
    if not answers(elsewhere):
        raise P2PError(
            f"The tracking server at {elsewhere} does not answer.", cure="Runs are sent when it does; see `p2p doctor`."
        )
    return elsewhere
