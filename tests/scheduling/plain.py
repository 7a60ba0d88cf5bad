"""A scheduler in a process of its own whose ticks are small processes: `python -m tests.scheduling.plain FOLDER`.

The ledger, its locks and the schedulers are as in service; only what a tick does is small: it waits a moment, and then
makes a file. So a thousand of them run in a minute, while schedulers are killed.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from p2p.model import RunStatus
from p2p.scheduling.ledger import Ledger
from p2p.scheduling.model import Schedule, Tick
from p2p.scheduling.owners import lives, owner_name, utc_now
from p2p.scheduling.scheduler import Ended, Limits, Opened, Scheduler

# It ends without a trace when its scheduler does: its stdin is closed then.
WORK = """
import os, select, sys, random
with open(sys.argv[1] + ".begun", "a") as file:
    file.write(f"{os.getppid()}\\n")
if select.select([sys.stdin], [], [], random.uniform(0, 0.2))[0]:
    sys.exit(1)
with open(sys.argv[1] + ".done", "a") as file:
    file.write(f"{os.getppid()}\\n")
"""


class Small:
    """Runs ticks as small processes.

    Args:
        folder: where they leave their files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    def start(self, tick: Tick, schedule: Schedule) -> None:
        command = [sys.executable, "-S", "-E", "-c", WORK, str(self._folder / str(tick.id))]
        self._running[tick.id] = subprocess.Popen(command, stdin=subprocess.PIPE)

    def stop(self, tick: int) -> None:
        self._running[tick].kill()

    def heard(self) -> Sequence[Opened | Ended]:
        ended = [(tick, process) for tick, process in self._running.items() if process.poll() is not None]
        for tick, process in ended:
            del self._running[tick]
            assert process.stdin is not None
            process.stdin.close()
        return [
            Ended(tick, RunStatus.FINISHED if process.returncode == 0 else RunStatus.FAILED) for tick, process in ended
        ]

    def left(self, tick: Tick) -> Ended | None:
        """It has ended, as its scheduler is gone: well, where its file is there."""
        time.sleep(0.05)
        done = (self._folder / f"{tick.id}.done").exists()
        return Ended(tick.id, RunStatus.FINISHED if done else RunStatus.KILLED)


def main() -> None:
    folder = Path(sys.argv[1])
    limits = Limits(at_once=6)
    scheduler = Scheduler(Ledger(folder / "schedules.db"), Small(folder), owner_name(), lives, utc_now, limits)
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    while not stop.is_set():
        scheduler.turn()
        time.sleep(0.01)


if __name__ == "__main__":
    main()
