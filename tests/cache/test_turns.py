"""Equal steps at the same moment: one runs, the others wait, and nobody waits for a result that will not be there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from p2p.cache.turns import Turns

MAY_TAKE = 20.0  # seconds
_HOLD = """
import sys, time
from pathlib import Path
from p2p.cache.turns import Turns
turn = Turns(Path(sys.argv[1])).take("key")
print("mine", flush=True)
time.sleep(600)
"""


def waiting(turns: Turns, key: str = "key") -> tuple[threading.Thread, threading.Event]:
    """Somebody who takes the turn and ends it, and what is set when they had it."""
    had = threading.Event()

    def work() -> None:
        turn = turns.take(key)
        had.set()
        turn.end(kept=True)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread, had


def test_the_second_waits_until_the_first_has_ended(tmp_path: Path) -> None:
    turns = Turns(tmp_path)
    first = turns.take("key")
    thread, had = waiting(turns)
    assert waiting(turns, "another")[1].wait(MAY_TAKE)
    assert not had.wait(0.3)
    first.end(kept=True)
    assert had.wait(MAY_TAKE)
    thread.join()
    assert list(tmp_path.iterdir()) == []  # a kept result needs no lock any more


def test_a_step_that_failed_lets_the_next_one_try(tmp_path: Path) -> None:
    turns = Turns(tmp_path)
    first = turns.take("key")
    _, had = waiting(turns)
    first.give_up()
    assert had.wait(MAY_TAKE)


def test_nobody_waits_for_a_result_that_cannot_be_kept(tmp_path: Path) -> None:
    turns = Turns(tmp_path)
    turns.take("key").end(kept=False)
    second = turns.take("key")
    assert waiting(turns)[1].wait(MAY_TAKE)
    second.end(kept=False)


def test_the_turn_of_a_process_that_is_killed_is_over(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", _HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "mine\n"
    _, had = waiting(Turns(tmp_path))
    assert not had.wait(0.3)
    os.kill(holder.pid, signal.SIGKILL)
    assert had.wait(MAY_TAKE)
    holder.communicate()


def test_waiting_has_an_end(tmp_path: Path) -> None:
    first = Turns(tmp_path).take("key")
    assert waiting(Turns(tmp_path, longest=0.1))[1].wait(MAY_TAKE)
    first.end(kept=True)
