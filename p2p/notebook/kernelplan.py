"""How the kernel of a run is started, and who watches it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from p2p.execution import EventSink
from p2p.secrets import Masker
from p2p.settings import OUTPUT_LIMIT

if TYPE_CHECKING:
    from p2p.kernels.provisioner import Kernels
    from p2p.notebook.early import EarlyKernel
    from p2p.notebook.manager import TruthfulManager


@dataclass(frozen=True)
class KernelPlan:
    """How to start the kernel of a run.

    Attributes:
        path: where the executed notebook is written.
        environment: the kernel's whole environment.
        directory: its working directory.
        events: the run's journal.
        masker: takes secrets out of everything that is kept or logged.
        output_limit: bytes of output that a cell may keep.
        kernels: forks the kernel; it is started when there is none.
        early: the kernel, where it was started already.
    """

    path: Path
    environment: dict[str, str]
    directory: Path
    events: EventSink
    managers: list[TruthfulManager]
    masker: Masker = field(default_factory=Masker)
    output_limit: int = OUTPUT_LIMIT
    kernels: Kernels | None = None
    early: EarlyKernel | None = None
