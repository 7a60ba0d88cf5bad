"""A process that ends promptly does all the same what it has promised."""

from __future__ import annotations

import subprocess
import sys

LEAVES = """
import atexit, sys, threading, time
from p2p.session.ending import leave
atexit.register(lambda: print("exit handler", flush=False))
threading.Thread(target=lambda: (time.sleep(0.2), print("thread"))).start()
print("said")
class Object:
    def __del__(self): print("taken apart")
held = Object()
leave(3)
"""


def test_leaving_waits_for_threads_calls_exit_handlers_and_writes_out() -> None:
    ended = subprocess.run([sys.executable, "-c", LEAVES], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (3, "")
    assert ended.stdout.split("\n") == ["said", "thread", "exit handler", ""]
