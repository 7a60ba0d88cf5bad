"""What the starter of a kernel tells it of its start, in one environment variable of our own, and its answer: ready."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

STARTED: Final = "P2P_KERNEL"


@dataclass(frozen=True)
class Started:
    """How a kernel was started.

    Attributes:
        ready: the descriptor on which it says that it is ready; -1 for none.
        facts: what the journal is to know of it: `warm`, `ahead`, `not_ahead`, `why_cold`.
    """

    ready: int = -1
    facts: Mapping[str, Any] = field(default_factory=dict)

    def tell_ready(self) -> None:
        """The kernel's sockets are bound: whoever connects now need not try again."""
        if self.ready >= 0:
            with contextlib.suppress(OSError):  # nobody waits any more
                os.write(self.ready, b"r")
            os.close(self.ready)


def take_started() -> Started:
    """What this process was told; it is removed from the environment."""
    told = json.loads(os.environ.pop(STARTED, "{}"))
    return Started(told.pop("ready", -1), told)
