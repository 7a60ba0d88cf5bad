"""How the kernel of a run is started, and who watches it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from p2p.execution import EventSink
from p2p.notebook.manager import TruthfulManager


@dataclass(frozen=True)
class KernelPlan:
    """How to start the kernel of a run.

    Attributes:
        path: where the executed notebook is written.
        environment: the kernel's whole environment.
        directory: its working directory.
        events: the run's journal.
    """

    path: Path
    environment: dict[str, str]
    directory: Path
    events: EventSink
    managers: list[TruthfulManager]
