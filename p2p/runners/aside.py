"""Loaded by each worker of a sweep's own cluster as it starts: Ctrl-C and the terminal are not its.

What its steps print must not come between the sweep's answers; the variable `PRINTS` says where it goes.
"""

from __future__ import annotations

import os

PRINTS = "P2P_WORKER_PRINTS"
NOWHERE = "nowhere"
STDERR = "stderr"


def dask_setup(_worker: object) -> None:
    """Called by Dask, in the worker's process."""
    if hasattr(os, "setsid"):
        os.setsid()
    if os.environ.pop(PRINTS, STDERR) == NOWHERE:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
    os.dup2(2, 1)
