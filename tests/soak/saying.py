"""The figures of the soak tests, a line each, also where pytest holds back what tests print."""

from __future__ import annotations

import sys


def say(figures: str) -> None:
    """Print `p2p-soak: <name>: <figures>`."""
    out = sys.__stdout__ or sys.stdout
    out.write(f"\np2p-soak: {figures}\n")
    out.flush()
