"""A worker process on this machine: runs one attempt after another, as it is asked (`python -m p2p.runners.slot FD`).

It ends when the process that started it does.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection
from types import FrameType

from p2p.execution.timeouts import OutOfTime
from p2p.runners import worker


def main() -> None:
    """Serve until the connection is closed."""
    threading.Thread(target=_end_with, args=[os.getppid()], daemon=True).start()
    signal.signal(signal.SIGTERM, _stop)
    connection = Connection(int(sys.argv[1]))
    sys.path[:] = connection.recv()
    while True:
        try:
            blob, attempt = connection.recv()
        except (EOFError, OSError):
            return
        except OutOfTime:  # it came when the attempt had ended by itself
            continue
        connection.send_bytes(worker.execute(blob, attempt))


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """The time of the attempt is over, as its driver says."""
    raise OutOfTime


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)


if __name__ == "__main__":
    main()
