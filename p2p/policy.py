"""What a step may do when it fails or takes long: one frozen object, its defaults written once."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How often a step is tried and how long it may take.

    Attributes:
        retries: further attempts after the first one fails; 0 or more.
        backoff: seconds before the second attempt; doubled for each further one.
        timeout: seconds that one attempt may take; None for no limit.
    """

    retries: int = 0
    backoff: float = 1.0
    timeout: float | None = None

    def __post_init__(self) -> None:
        if self.retries < 0:
            raise ValueError(f"retries must be 0 or more, got {self.retries}")
        if self.backoff < 0:
            raise ValueError(f"backoff must be 0 s or more, got {self.backoff}")
        if self.timeout is not None and self.timeout <= 0:
            raise ValueError(f"timeout must be more than 0 s, got {self.timeout}")

    def delay(self, attempt: int) -> float:
        """Seconds to wait after the failed attempt number `attempt` (1 is the first)."""
        return float(self.backoff * 2 ** (attempt - 1))

    def changed(self) -> dict[str, Any]:
        """The fields that differ from the defaults, as keyword arguments that rebuild this policy."""
        defaults = asdict(Policy())
        return {k: v for k, v in asdict(self).items() if v != defaults[k]}
