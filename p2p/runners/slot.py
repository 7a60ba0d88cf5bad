"""A worker process on this machine: runs one attempt after another, as it is asked (`python -m p2p.runners.slot FD`).

While an attempt runs, it says how far that is. It ends when the process that started it does.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any

from p2p.execution.timeouts import OutOfTime
from p2p.runners import worker


class Line:
    """What is said to the driver: how far an attempt is, and then its answer, each whole.

    Args:
        connection: to the driver.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._turn = threading.RLock()  # threads that an attempt has left behind may have bars, too

    def send(self, message: Mapping[str, Any]) -> None:
        """How far it is."""
        with self._turn:
            self._connection.send_bytes(json.dumps(message).encode())

    def answer(self, blob: bytes) -> None:
        """Its answer, a pickle."""
        with self._turn:
            self._connection.send_bytes(blob)


def told(found: bytes) -> dict[str, Any] | None:
    """In the driver: how far an attempt is, where that is what was received; None for an answer."""
    if not found.startswith(b"{"):  # as no pickle does
        return None
    message: dict[str, Any] = json.loads(found)
    return message


def main() -> None:
    """Serve until the connection is closed."""
    threading.Thread(target=_end_with, args=[os.getppid()], daemon=True).start()
    signal.signal(signal.SIGTERM, _stop)
    connection = Connection(int(sys.argv[1]))
    line = Line(connection)
    sys.path[:] = connection.recv()
    while True:
        try:
            blob, attempt = connection.recv()
        except (EOFError, OSError):
            return
        except OutOfTime:  # it came when the attempt had ended by itself
            continue
        line.answer(worker.execute(blob, attempt, line.send))


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """The time of the attempt is over, as its driver says."""
    raise OutOfTime


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)


if __name__ == "__main__":
    main()
