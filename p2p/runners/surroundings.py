"""What is changed for the whole process while it runs a pipeline: no windows open, and no exit looks like success.

And what is put back when a piece of work has ended, in a process that others come after.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn


@contextmanager
def no_windows() -> Iterator[None]:
    """In the block, matplotlib loads with its file backend unless one is chosen: a pipeline shows no windows.

    The environment is put back, because kernels that this process starts later must not inherit the choice.
    """
    if "MPLBACKEND" in os.environ:
        yield
        return
    os.environ["MPLBACKEND"] = "agg"
    try:
        yield
    finally:
        os.environ.pop("MPLBACKEND", None)


@contextmanager
def put_back() -> Iterator[None]:
    """After the block, environment and working directory are what they were before it."""
    environment, directory = dict(os.environ), _directory()
    try:
        yield
    finally:
        for name in [name for name in os.environ if name not in environment]:
            del os.environ[name]
        # Only what was changed is set: other threads may read the environment at this moment.
        os.environ.update({name: value for name, value in environment.items() if os.environ.get(name) != value})
        with suppress(FileNotFoundError):  # it is gone for everybody
            os.chdir(directory)


def _directory() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return os.curdir  # somebody has removed it


@contextmanager
def no_quiet_exit() -> Iterator[None]:
    """In the block, `os._exit(0)` ends this process with 1: steps are left, so that is no success.

    The run itself is ended by its sidecar, as KILLED. Forks end as they like.
    """
    leave, owner = os._exit, os.getpid()

    def leave_with_truth(status: int) -> NoReturn:
        if os.getpid() == owner:
            sys.stderr.write(f"p2p: os._exit({status}) ended the process in the middle of a run, which is KILLED.\n")
            sys.stderr.flush()
            status = status or 1
        leave(status)

    os._exit = leave_with_truth
    try:
        yield
    finally:
        os._exit = leave
