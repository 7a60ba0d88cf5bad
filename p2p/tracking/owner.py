"""Who owns a run, and whether that process still lives.

A process is known by host, boot, process-id space (containers have their own), pid and the time at which it started, so
that neither a reused pid nor a rebooted machine is taken for a living owner. Whether it answers says nothing: a process
that is paused, swapped out or stopped in a debugger is alive.
"""

from __future__ import annotations

import enum
import functools
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

_SAME_START = 0.05  # seconds; psutil computes the start from clock ticks, of which there are 100 a second


class Life(enum.StrEnum):
    """What can be said of an owner from here."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"  # it belongs to another machine or container


@dataclass(frozen=True, slots=True)
class Owner:
    """One process, once and for all.

    Attributes:
        host: the machine's name.
        boot: what changes when the machine starts anew.
        space: the process-id namespace; empty where the system has none.
        pid: the process id.
        started: when the process started, seconds since the epoch.
    """

    host: str
    boot: str
    space: str
    pid: int
    started: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Any) -> Owner:
        """The owner that a lease names; ValueError where it names none."""
        try:
            return cls(str(data["host"]), str(data["boot"]), str(data["space"]), int(data["pid"]),
                       float(data["started"]))  # fmt: skip
        except (TypeError, KeyError) as error:
            raise ValueError(f"no owner: {error}") from None

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def owner_of(pid: int) -> Owner:
    """The process `pid` of this machine as an owner; raises psutil.NoSuchProcess when there is none."""
    return Owner(*_here(), pid, psutil.Process(pid).create_time())


def this_process() -> Owner:
    """This process as an owner."""
    return owner_of(os.getpid())


def life_of(owner: Owner) -> Life:
    """Whether `owner` lives, as far as this process can tell."""
    host, boot, space = _here()
    if owner.host != host:
        return Life.UNKNOWN
    if owner.boot != boot:
        return Life.DEAD
    if owner.space != space:
        return Life.UNKNOWN
    return Life.ALIVE if _runs(owner) else Life.DEAD


def _runs(owner: Owner) -> bool:
    try:
        process = psutil.Process(owner.pid)
        same = abs(process.create_time() - owner.started) <= _SAME_START
        return same and process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True  # somebody else's process has that pid and may be the one


@functools.cache
def _here() -> tuple[str, str, str]:
    return platform.node(), _boot(), _space()


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return f"{psutil.boot_time():.0f}"  # systems without Linux's id


def _space() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
