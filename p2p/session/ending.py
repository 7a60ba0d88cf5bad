"""The end of a process: all that the end of an interpreter does for the code that ran, and not the rest.

Taking large libraries apart, object by object, takes longer (0.1 s in a forked kernel, 0.8 s in one that was started,
for pandas, scikit-learn and MLflow) than all the rest of the end. So a headless kernel lets the notebook's objects go,
calls exit handlers and writes files out; the memory of the libraries goes with the process.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import io
import os
import sys
import threading
from collections.abc import Collection
from functools import cache
from typing import Any, NoReturn

from p2p.analysis import is_installed


def end_promptly(app: Any) -> None:
    """Let the process of a kernel end when its kernel has, and leave the libraries as they are.

    Args:
        app: ipykernel's; it has not begun to serve.
    """
    before, serve = frozenset(sys.modules), app.start

    def serve_and_end() -> NoReturn:
        serve()
        installed = cache(is_installed)
        end(before | {name for name in [*sys.modules] if name != "__main__" and installed(name.partition(".")[0])})

    app.start = serve_and_end


def leave(code: int) -> NoReturn:
    """End this process, in which no code but that of libraries has run.

    Args:
        code: its exit code.
    """
    with contextlib.suppress(BaseException):  # nothing that goes wrong in the end changes what was answered
        threading._shutdown()  # type: ignore[attr-defined]  # waits for threads that are no daemons, as the interpreter does
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    os._exit(code)


def end(libraries: Collection[str]) -> NoReturn:
    """End this process, as one that has come to its end.

    Args:
        libraries: names of the modules that are left as they are.
    """
    with contextlib.suppress(BaseException):  # whatever is wrong with the code's own, the process ends
        threading._shutdown()  # type: ignore[attr-defined]  # waits for threads that are no daemons, as the interpreter does
        atexit._run_exitfuncs()
        _let_go(libraries)
        _write_out()
    os._exit(0)


def _let_go(libraries: Collection[str]) -> None:
    """Drop what the notebook and its author's modules hold, so that finalizers are called."""
    own = [module for name, module in sys.modules.items() if name == "__main__" or name not in libraries]
    shell: Any = sys.modules["IPython"].get_ipython()
    if shell is not None:
        shell.user_ns.clear()
    for module in reversed(own):
        vars(module).clear() if hasattr(module, "__dict__") else None
    gc.collect()


def _write_out() -> None:
    """Files that something still holds are written; what was there before the fork is the parent's."""
    for found in gc.get_objects():
        if isinstance(found, io.BufferedWriter | io.BufferedRandom | io.TextIOWrapper):
            with contextlib.suppress(ValueError, OSError):  # closed, or nobody reads the pipe
                found.flush()
    with contextlib.suppress(Exception):  # a system on which the C library is not to be had like this
        ctypes.CDLL(None).fflush(None)
