"""Where and with what something was measured."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path

from benchmarks.commands import PROJECT

_BESIDE = ("mlflow", "papermill", "pandas", "numpy", "pyarrow", "scikit-learn", "ipykernel")


def machine() -> str:
    """Cores, processor, memory and system."""
    import psutil

    memory = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores, {_processor()}, {memory:.0f} GiB of memory, {_system()}"


def load() -> str:
    """What the machine is doing: the average number of running processes of the last 1 and 15 minutes."""
    one, _five, fifteen = os.getloadavg()
    return f"{one:.1f} (1 min), {fifteen:.1f} (15 min)"


def byte_code() -> str:
    """Whether imports write what they compile: without it they take twice as long the next time."""
    state = os.environ.get("PYTHONDONTWRITEBYTECODE")
    return f"PYTHONDONTWRITEBYTECODE={state}" if state else "PYTHONDONTWRITEBYTECODE is not set"


def versions(peers: Mapping[str, str]) -> str:
    """Python's, p2p's with its commit, and those of the packages that were compared or are used."""
    beside = {name: importlib.metadata.version(name) for name in _BESIDE}
    p2p = f"p2p {importlib.metadata.version('p2p-toolkit')} ({_commit()})"
    found = {**beside, **peers}
    return ", ".join([f"Python {platform.python_version()}", p2p, *(f"{n} {v}" for n, v in sorted(found.items()))])


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _system() -> str:
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        name = platform.system()
    return f"{name}, kernel {platform.release().partition('-')[0]}"


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "no commit"
