"""Ending the processes of a run: a kernel, and whatever it has started."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from p2p.tracking.journal import read_events
from p2p.tracking.owner import Life, Owner, life_of


@dataclass
class Descendants:
    """Processes that another one has started, told while it lives: its death hides whose children they were.

    Sidecars are not among them: they are to outlive their owner.
    """

    processes: list[psutil.Process] = field(default_factory=list)

    @classmethod
    def of(cls, pid: int | None) -> Descendants:
        """The children of `pid` at any depth; none where it is gone."""
        with contextlib.suppress(psutil.Error):
            if pid is not None:
                found = psutil.Process(pid).children(recursive=True)
                return cls([process for process in found if not _is_sidecar(process)])
        return cls()

    def without(self, others: Descendants) -> Descendants:
        """Those that are not among the others."""
        return Descendants([process for process in self.processes if process not in others.processes])

    def kill(self) -> None:
        """End those that still live; psutil sees to it that none is another process with a used pid."""
        for process in self.processes:
            with contextlib.suppress(psutil.Error):
                process.kill()


@contextmanager
def taking_along() -> Iterator[None]:
    """In the block, an interrupt also ends what the block has started, in whatever session it is."""
    before = Descendants.of(os.getpid())
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception):
            Descendants.of(os.getpid()).without(before).kill()
        raise


def _is_sidecar(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return "p2p.tracking.sidecar" in process.cmdline()
    return False


def end_kernels(directory: Path) -> None:
    """End the kernels of the run in `directory`, whose driver is dead, and what they have started."""
    for event in read_events(directory):
        if event["kind"] == "kernel_started":
            kernel = Owner.from_dict(event["process"])
            if life_of(kernel) is Life.ALIVE:
                started = Descendants.of(kernel.pid)
                with contextlib.suppress(psutil.Error):
                    psutil.Process(kernel.pid).kill()
                started.kill()
